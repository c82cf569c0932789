import type { KeyObject } from 'node:crypto'
import type { Test } from 'tap'
import { call, type Person, registerPerson } from './client.ts'
import { es256, forge, type Parts, partsOf, signingKeyOf } from './forge.ts'
import { type Operation, operationsOf } from './operations.ts'
import { type Service, startService } from './service.ts'

/** A service, somebody with a token of it, and what a forger would wish to have. */
export interface TokenTarget {
  service: Service
  person: Person
  /** The person's token in its parts. */
  good: Parts
  /** The same as it is written. */
  segments: [header: string, payload: string, signature: string]
  kid: string
  key: KeyObject
  guarded: Operation[]
  /** A token that the service's own key has signed, with claims or the header changed. */
  signed: (claims: Record<string, unknown>, header?: Record<string, unknown>) => string
  /** Guarded routes refuse each of the tokens, in the header as in the cookie, with a challenge: all routes each of few, else a share of them. */
  refused: (t: Test, tokens: Record<string, string>, code?: string) => Promise<void>
}

export async function startTokenTarget(t: Test): Promise<TokenTarget> {
  const service = await startService(t)
  const person = await registerPerson(service, 'alice')
  const good = partsOf(person.token)
  const { kid, key } = signingKeyOf(service)
  const guarded = (await operationsOf(service)).filter((operation) => operation.guarded)
  return {
    service,
    person,
    good,
    segments: person.token.split('.') as [string, string, string],
    kid,
    key,
    guarded,
    signed: (claims, header = {}) => forge({ ...good.header, ...header }, { ...good.payload, ...claims }, es256(key)),
    async refused(t, tokens, code = 'token_invalid') {
      const all = Object.entries(tokens)
      // Every route meets many tokens, or each of few.
      const share = Math.ceil(all.length / 20)
      for (const [index, [title, token]] of all.entries()) {
        const routes = guarded.filter((_, place) => (place + index) % share === 0)
        const answers = await Promise.all([
          ...routes.map(({ request }) => call(service, request, { bearer: token })),
          call(service, 'GET /auth/me', { cookie: `access_token=${token}` })
        ])
        const seen = answers.map(({ status, headers, body }) =>
          [status, (body as { code: string } | undefined)?.code, headers.get('www-authenticate')].join(' ')
        )
        t.strictSame([...new Set(seen)], [`401 ${code} Bearer error="invalid_token"`], title)
      }
    }
  }
}

/** Seconds since the epoch. */
export const now = (): number => Math.floor(Date.now() / 1000)

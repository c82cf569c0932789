import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import { type Answer, call, type CallOptions, type Person, registerPerson, startSession } from './client.ts'
import { type Operation, operationsOf } from './operations.ts'
import { type Service, sql, startService } from './service.ts'

/** An operation that takes a body, with one that it takes gladly, every property filled in. */
export interface Taker extends Operation {
  schema: NonNullable<Operation['body']>
  valid: Record<string, string>
}

export interface InputTarget {
  service: Service
  person: Person
  /** An operation that takes a body and is not known here fails this: say what it takes. */
  takers: Taker[]
  /** Sends a body, as the person. */
  send: (taker: Operation, options: CallOptions) => Promise<Answer>
  /** The request is refused in words, none of them the secret in it. */
  refused: (t: Test, answer: Answer, title: string, expected?: { status: number; code: string }) => void
  /** Runs `work`, after which every row of every table must be as it was. */
  unchanged: (t: Test, work: () => Promise<void>) => Promise<void>
}

/** In every secret that is sent, so that it can be looked for in answers. */
export const canary = 'canary5d1e'

export async function startInputTarget(t: Test): Promise<InputTarget> {
  const service = await startService(t)
  const person = await registerPerson(service)
  const password = `${canary} and a quiet evening`
  const { refresh_token } = await startSession(service, person)
  await requestsAnswered(service)
  const bodies: Record<string, Record<string, string>> = {
    'POST /auth/registration': { username: 'newcomer', email: 'newcomer@example.com', password },
    'POST /auth/login': { username: person.username, password, transport: 'bearer' },
    'POST /auth/refresh': { refresh_token },
    'POST /auth/reauthenticate': { password: person.password },
    'PATCH /auth/me': { first_name: 'Ann', second_name: 'Lee', email: person.email },
    'POST /auth/username': { username: 'another-name' },
    'POST /auth/password/forgot': { email: person.email },
    'POST /auth/password/reset': { token: canary, new_password: password },
    'POST /auth/email/verify': { token: canary },
    'POST /auth/unlock/request': { email: person.email },
    'POST /auth/unlock': { token: canary },
    'POST /auth/email/disown': { token: canary },
    'POST /auth/email/undo': { token: canary },
    'POST /auth/password': { current_password: person.password, new_password: password },
    'POST /admin/clients': { name: 'billing' },
    'PATCH /admin/clients/{id}': { name: 'billing' },
    'DELETE /auth/me': { password },
    'POST /admin/users': { username: 'newcomer', email: 'newcomer@example.com' },
    'PATCH /admin/users/{id}': { first_name: 'Ann', second_name: 'Lee', email: person.email },
    'POST /admin/sessions/revoke': { role: 'author' }
  }
  const takers = (await operationsOf(service)).flatMap((operation): Taker[] => {
    // Logging out takes whatever body there is: a misspelt field must not keep a user logged in.
    if (operation.body === undefined || operation.name === 'POST /auth/logout') return []
    const valid = bodies[operation.name]
    if (valid === undefined) throw new Error(`Say in input-target.ts what ${operation.name} takes`)
    return [{ ...operation, schema: operation.body, valid }]
  })
  return {
    service,
    person,
    takers,
    send: (taker, options) =>
      call(service, taker.request, { ...options, ...(taker.guarded && { bearer: person.token }) }),
    refused(t, answer, title, expected = { status: 400, code: 'validation_failed' }) {
      t.match([answer.status, answer.body], [expected.status, expected], title)
      t.match(answer.headers.get('content-type'), /^application\/problem\+json/, title)
      t.match(answer.body, { detail: /\w+ \w+/ }, `${title}: says what to change`)
      t.notOk(answer.text.includes(canary), `${title}: no echo of the secret`)
    },
    async unchanged(t, work) {
      const before = await everyRow(service)
      await work()
      t.equal(await everyRow(service), before, 'no row has changed')
      t.strictSame(
        service.log.filter((line) => line.includes('"level":50')),
        [],
        'nothing failed inside'
      )
    }
  }
}

/** What was asked of the outbox is answered beside the requests: until then its rows change by themselves. */
async function requestsAnswered(service: Service): Promise<void> {
  while ((await sql(service, "select 1 from jobs where kind <> 'mail'")).length > 0) await delay(5)
}

/** Everything that the database holds, as text. */
async function everyRow(service: Service): Promise<string> {
  const [row] = await sql<{ rows: string }>(service, `select schema_to_xml('public', true, false, '')::text as rows`)
  return row?.rows ?? ''
}

import { randomBytes } from 'node:crypto'
import { sql } from 'drizzle-orm'
import type { Test } from 'tap'
import { type Answer, call, type Person } from './client.ts'
import { type Kind, type Service, startService } from './service.ts'

/** A service that counts attempts, and takes the tests for a proxy so that clients can come from any address. */
export async function startLimited(
  t: Test,
  env: Record<string, string> = {},
  kind: Kind = 'postgres'
): Promise<Service> {
  const service = await startService(t, { RATE_LIMIT: 'on', TRUST_PROXY: '127.0.0.1', ...env }, kind)
  // The first hash starts the threads: on a busy machine that is no part of a burst.
  await service.app.passwords.hash('the first')
  return service
}

/** As a proxy says it. */
export const from = (address: string) => ({ 'x-forwarded-for': address })

let addresses = 0

/** An address that no other request came from. */
export const somewhere = (): string => {
  addresses += 1
  return `10.${[addresses >> 16, (addresses >> 8) & 0xff, addresses & 0xff].join('.')}`
}

/** Registers somebody who has no session anywhere, so that no device is theirs. */
export async function registerElsewhere(service: Pick<Service, 'url'>, name = 'user'): Promise<Login> {
  const person = {
    username: `${name}-${randomBytes(4).toString('hex')}`,
    email: `${randomBytes(6).toString('hex')}@example.com`,
    password: 'a long and quiet evening'
  }
  const answer = await call(service, 'POST /auth/registration', { json: person, headers: from(somewhere()) })
  if (answer.status !== 201) throw new Error(`Registration answered ${String(answer.status)}: ${answer.text}`)
  return person
}

export type Login = Pick<Person, 'username' | 'email' | 'password'>

/** A login from an address, which is a new one unless it is named. */
export const attempt = (
  service: Pick<Service, 'url'>,
  username: string,
  password: string,
  { address = somewhere(), cookie }: { address?: string; cookie?: string } = {}
): Promise<Answer> =>
  call(service, 'POST /auth/login', {
    json: { username, password },
    headers: from(address),
    ...(cookie !== undefined && { cookie })
  })

/** Lets so many seconds pass for all that is counted. */
export async function letPass(service: Service, seconds: number): Promise<void> {
  await service.app.database.db.execute(sql`update rate_limits set expire = expire - make_interval(secs => ${seconds})`)
}

export const statuses = (answers: Answer[]): number[] => answers.map(({ status }) => status)

/** Does something so often, one after the other. */
export async function times<T>(count: number, act: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = []
  for (let index = 0; index < count; index++) results.push(await act(index))
  return results
}

import { registerPerson, startSession, type Person, type Tokens } from '../../test/support/client.ts'

export interface BenchUser extends Person {
  tokens: Tokens[]
}

/** Registered users with some sessions each. */
export async function createUserPool(
  service: { url: string },
  users: number,
  sessionsEach: number
): Promise<BenchUser[]> {
  const pool: BenchUser[] = []
  for (let n = 0; n < users; n++) {
    const person = await registerPerson(service, 'bench')
    const tokens = []
    for (let s = 0; s < sessionsEach; s++) tokens.push(await startSession(service, person))
    pool.push({ ...person, tokens })
  }
  return pool
}

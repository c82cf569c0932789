import t from 'tap'
import { type Answer, call } from '../support/client.ts'
import { type Service, sql, startService } from '../support/service.ts'

const password = 'a long and quiet evening'

/** The name in one of its 32 mixtures of capitals and small letters. */
const mixed = (name: string, number: number) =>
  Array.from(name, (letter, place) => ((number >> place) & 1 ? letter.toUpperCase() : letter)).join('')

function outcomes(answers: Answer[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status, body } of answers) {
    // Which of the two codes of 503 it is depends on how fast the machine is.
    const outcome = status === 409 ? `409 ${(body as { code: string }).code}` : String(status)
    counts[outcome] = (counts[outcome] ?? 0) + 1
  }
  return counts
}

async function register100(services: Service[], person: (number: number) => { username: string; email: string }) {
  return outcomes(
    await Promise.all(
      Array.from({ length: 100 }, (_, number) =>
        call(services[number % services.length]!, 'POST /auth/registration', { json: { ...person(number), password } })
      )
    )
  )
}

await t.test('a hundred registrations of one name at once', async (t) => {
  const first = await startService(t)
  const second = await startService(t, first.env)
  for (const [title, services] of [
    ['one instance', [first]],
    ['two instances', [first, second]]
  ] as const) {
    const name = services.length === 1 ? 'alice' : 'betty'

    const byName = await register100([...services], (number) => ({
      username: mixed(name, number),
      email: `${name}-${String(number)}@example.com`
    }))
    t.equal(byName['201'], 1, `${title}: one succeeds`)
    t.equal((byName['409 username_taken'] ?? 0) + (byName['503'] ?? 0), 99, JSON.stringify(byName))
    t.equal((await sql(first, 'select 1 from users where username_key = $1', [name])).length, 1)

    const byEmail = await register100([...services], (number) => ({
      username: `${name}-${String(number)}`,
      email: `${mixed(name, number)}@Example.com`
    }))
    t.equal(byEmail['201'], 1, `${title}: one succeeds`)
    t.equal((byEmail['409 email_taken'] ?? 0) + (byEmail['503'] ?? 0), 99, JSON.stringify(byEmail))
    t.equal((await sql(first, 'select 1 from users where email_key = $1', [`${name}@example.com`])).length, 1)
  }
})

import t from 'tap'
import { type Answer, call, type Person, registerPerson, startSession } from '../support/client.ts'
import { operationsOf } from '../support/operations.ts'
import { type Service, sql, startService } from '../support/service.ts'

/** Names that columns have and answers do not, in either spelling. */
const internal =
  /^(password|hash|salt|secret|username_?key|email_?key|version|ver|password_?version|is_?disabled|refresh_?counter|rotated_?at|sweep_?after|last_?login_?at|user_?id|private.*|d|p|q|dp|dq|qi|k|stack|cause|query|sql)$|password_?hash|digest/i

/** The names of all properties, at any depth. */
function namesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(namesIn)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => [name, ...namesIn(inner)])
}

await t.test('no answer holds more than it declares', async (t) => {
  const service = await startService(t)
  const person = await registerPerson(service)
  const answers = await everyAnswer(service, person)
  t.ok(answers.length > 2 * (await operationsOf(service)).length)
  const [row] = await sql<{ password: string; id: number }>(service, 'select password, id from users')
  t.match(row?.password, /^\$argon2id\$/)

  for (const [title, answer] of answers) {
    // Events name their user.
    const mayName = title === 'GET /auth/me/export of a user' ? ['user_id'] : []
    t.strictSame(
      namesIn(answer.body).filter((name) => internal.test(name) && !mayName.includes(name)),
      [],
      `${title}: no internal names`
    )
    const text = answer.text + JSON.stringify([...answer.headers])
    t.notMatch(
      text,
      /\$argon2|PRIVATE KEY|node_modules|drizzle|select .* from |insert into /i,
      `${title}: nothing of the inside`
    )
    t.notOk(text.includes(person.password), `${title}: no password`)
  }
})

await t.test('and what it declares is what it holds', async (t) => {
  const service = await startService(t)
  const person = await registerPerson(service)
  const me = await call(service, 'GET /auth/me', { bearer: person.token })
  t.strictSame(Object.keys(me.body as object).sort(), [
    'created_at',
    'email',
    'email_verified',
    'first_name',
    'id',
    'is_admin',
    'is_author',
    'is_reader',
    'pending_email',
    'second_name',
    'updated_at',
    'username'
  ])
})

/** Every operation, called by nobody and by somebody, rightly and wrongly. */
async function everyAnswer(service: Service, person: Person): Promise<[title: string, answer: Answer][]> {
  const { username, email, password, token: bearer } = person
  const { refresh_token } = await startSession(service, person)
  const answers: [string, Answer][] = []
  const add = async (title: string, answer: Promise<Answer>) => answers.push([title, await answer])
  for (const { name, request, body } of await operationsOf(service)) {
    const json = body === undefined ? {} : { json: {} }
    await add(`${name} of a stranger`, call(service, request, json))
    if (name !== 'POST /auth/logout') await add(`${name} of a user`, call(service, request, { ...json, bearer }))
    await add(`${name} with a broken token`, call(service, request, { ...json, bearer: 'x' }))
  }
  await add('a login', call(service, 'POST /auth/login', { json: { username, password } }))
  await add(
    'a login for a program',
    call(service, 'POST /auth/login', { json: { username, password, transport: 'bearer' } })
  )
  await add('a wrong password', call(service, 'POST /auth/login', { json: { username, password: 'x' } }))
  await add('a taken name', call(service, 'POST /auth/registration', { json: { username, email, password } }))
  await add('a refresh', call(service, 'POST /auth/refresh', { json: { refresh_token } }))
  await add('a change', call(service, 'PATCH /auth/me', { bearer, json: { first_name: 'Ann', second_name: null } }))
  await add('the sessions', call(service, 'GET /auth/sessions', { bearer }))
  await add('no such path', call(service, 'GET /nowhere'))
  return answers
}

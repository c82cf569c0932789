import { randomBytes } from 'node:crypto'
import type { Service } from './service.ts'

export interface Answer {
  status: number
  headers: Headers
  /** The cookies that were set, as `Set-Cookie` lines. */
  cookies: string[]
  text: string
  /** The JSON body, or undefined. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  body: any
}

export interface CallOptions {
  json?: unknown
  /** A body as it is; name its content type in `headers`. */
  raw?: string | Uint8Array
  headers?: Record<string, string>
  bearer?: string
  cookie?: string
}

/** `call(service, 'POST /auth/login', { json: { … } })`, as any HTTP client would. */
export async function call(
  service: Pick<Service, 'url'>,
  operation: `${string} /${string}`,
  options: CallOptions = {}
): Promise<Answer> {
  const [method = '', path = ''] = operation.split(/ (.*)/s)
  const headers = new Headers(options.headers)
  if (options.json !== undefined) headers.set('content-type', 'application/json')
  if (options.bearer !== undefined) headers.set('authorization', `Bearer ${options.bearer}`)
  if (options.cookie !== undefined) headers.set('cookie', options.cookie)
  const body = options.json === undefined ? options.raw : JSON.stringify(options.json)
  const response = await fetch(service.url + path, {
    method,
    headers,
    redirect: 'manual',
    ...(body !== undefined && { body: body as string })
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') === true
  return {
    status: response.status,
    headers: response.headers,
    cookies: response.headers.getSetCookie(),
    text,
    body: isJson && text !== '' ? (JSON.parse(text) as unknown) : undefined
  }
}

export interface Person {
  id: number
  username: string
  email: string
  password: string
  /** An access token of a session of theirs. */
  token: string
}

/** Registers somebody with a name of their own, and logs them in by bearer. */
export async function registerPerson(service: Pick<Service, 'url'>, name = 'user'): Promise<Person> {
  const username = `${name}-${randomBytes(4).toString('hex')}`
  const person = {
    username,
    email: `mail-${randomBytes(6).toString('hex')}@example.com`,
    password: 'a long and quiet evening'
  }
  const registered = await call(service, 'POST /auth/registration', { json: person })
  if (registered.status !== 201)
    throw new Error(`Registration answered ${String(registered.status)}: ${registered.text}`)
  const token = await logIn(service, person)
  const me = await call(service, 'GET /auth/me', { bearer: token })
  return { ...person, id: (me.body as { id: number }).id, token }
}

export interface Tokens {
  access_token: string
  refresh_token: string
  expires_in: number
  refresh_expires_in: number
}

/** @returns the tokens of a new session */
export async function startSession(
  service: Pick<Service, 'url'>,
  { username, password }: { username: string; password: string }
): Promise<Tokens> {
  const answer = await call(service, 'POST /auth/login', { json: { username, password, transport: 'bearer' } })
  if (answer.status !== 200) throw new Error(`Login answered ${String(answer.status)}: ${answer.text}`)
  return answer.body as Tokens
}

/** @returns the access token of a new session */
export async function logIn(
  service: Pick<Service, 'url'>,
  { username, password }: { username: string; password: string }
): Promise<string> {
  return (await startSession(service, { username, password })).access_token
}

/** The `name=value` pairs of cookies that were set, as a browser sends them back. */
export const cookiesOf = (answer: Answer): string =>
  answer.cookies
    .map((line) => line.split(';')[0] ?? '')
    .filter((pair) => !pair.endsWith('='))
    .join('; ')

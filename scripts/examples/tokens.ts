import { createPublicKey } from 'node:crypto'
import { es256, forge, hmac, partsOf, signingKeyOf } from '../../test/support/forge.ts'

const user = { username: 'bob', email: 'bob@example.com', password: 'a long and quiet evening' }

/** @returns a user's access token */
export async function accessToken(gatehouse: string): Promise<string> {
  const { username, password } = user
  await post(`${gatehouse}/auth/registration`, user)
  const login = await post(`${gatehouse}/auth/login`, { username, password, transport: 'bearer' })
  return ((await login.json()) as { access_token: string }).access_token
}

function post(url: string, body: object): Promise<Response> {
  return fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
}

/** Tokens that no service may take for good, with the code of its refusal. */
export function forgeries(token: string, keysFolder: string): [title: string, code: string, token: string][] {
  const { header, payload } = partsOf(token)
  const { key } = signingKeyOf({ env: { KEYS_DIR: keysFolder } })
  const pem = createPublicKey(key).export({ type: 'spki', format: 'pem' }) as string
  const signed = (claims: object, head: object = {}) =>
    forge({ ...header, ...head }, { ...payload, ...claims }, es256(key))
  const now = Math.floor(Date.now() / 1000)
  const invalid: Record<string, string> = {
    'no token at all': 'none',
    'no algorithm': forge({ ...header, alg: 'none' }, payload, ''),
    'the public key as the secret of an HMAC': forge({ ...header, alg: 'HS256' }, payload, hmac(256, pem)),
    'another algorithm': signed({}, { alg: 'RS256' }),
    'an unknown key': signed({}, { kid: 'unknown' }),
    'no key': signed({}, { kid: undefined }),
    'a key of another type': signed({}, { kid: [header.kid] }),
    'another kind of JWT': signed({}, { typ: 'JWT' }),
    'another issuer': signed({ iss: 'http://elsewhere.test' }),
    'another audience': signed({ aud: 'another' }),
    'several audiences': signed({ aud: [payload.aud, 'another'] }),
    'no end': signed({ exp: undefined }),
    'not yet': signed({ nbf: now + 3600 }),
    'no subject': signed({ sub: undefined }),
    'the subject of a service': signed({ sub: 'client:1' }),
    'a role that is text': signed({ is_admin: 'true' }),
    'another role': forge(header, { ...payload, is_admin: true }, token.split('.')[2] ?? ''),
    'a deep payload': forge(header, '['.repeat(5000), es256(key)),
    'a deep header': forge('['.repeat(5000), payload, es256(key)),
    'a payload that is no object': forge(header, '[]', es256(key))
  }
  const expired = signed({ iat: now - 900, exp: now - 60 })
  return [
    ...Object.entries(invalid).map(
      ([title, forged]) => [title, 'token_invalid', forged] satisfies [string, string, string]
    ),
    ['past its end', 'token_expired', expired]
  ]
}

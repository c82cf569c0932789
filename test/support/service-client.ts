import type { NewClient } from '../../src/operations/admin/clients.ts'
import { type Answer, call } from './client.ts'
import type { Service } from './service.ts'

/** A service client and a secret of it, as its operator has them. */
export interface ServiceClient {
  id: string
  secret: string
  secretId: string
}

export async function createClient(
  service: Pick<Service, 'app'>,
  { name = 'billing', ...roles }: Partial<NewClient> = { isReader: true }
): Promise<ServiceClient> {
  const { id, clientSecret, secrets } = await service.app.operations.createClient({ name, ...roles }, {})
  return { id, secret: clientSecret, secretId: secrets[0]!.id }
}

export const basic = ({ id, secret }: Pick<ServiceClient, 'id' | 'secret'>): string =>
  `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`

/** Sends a form, authenticated by HTTP Basic where a client is named. */
export function post(
  service: Pick<Service, 'url'>,
  path: `/oauth/${string}`,
  form: Record<string, string> | string,
  client?: Pick<ServiceClient, 'id' | 'secret'>
): Promise<Answer> {
  return call(service, `POST ${path}`, {
    raw: typeof form === 'string' ? form : new URLSearchParams(form).toString(),
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      ...(client !== undefined && { authorization: basic(client) })
    }
  })
}

/** Asks for a token with all of the client's roles, unless a scope is named. */
export const askToken = (
  service: Pick<Service, 'url'>,
  client: Pick<ServiceClient, 'id' | 'secret'>,
  form: Record<string, string> = {}
): Promise<Answer> => post(service, '/oauth/token', { grant_type: 'client_credentials', ...form }, client)

/** @returns an access token of the client */
export async function tokenOf(
  service: Pick<Service, 'url'>,
  client: Pick<ServiceClient, 'id' | 'secret'>
): Promise<string> {
  const answer = await askToken(service, client)
  if (answer.status !== 200) throw new Error(`The token endpoint answered ${String(answer.status)}: ${answer.text}`)
  return (answer.body as { access_token: string }).access_token
}

export const introspect = async (
  service: Pick<Service, 'url'>,
  client: Pick<ServiceClient, 'id' | 'secret'>,
  token: string
): Promise<string> => (await post(service, '/oauth/introspect', { token }, client)).text

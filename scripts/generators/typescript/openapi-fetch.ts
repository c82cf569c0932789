import createClient from 'openapi-fetch'
import type { paths } from '../../../clients/typescript/src/generated/openapi.ts'
import { basic, tryEndings } from './endings.ts'

// Drives a service by openapi-fetch, with the types that openapi-typescript makes of the document: its URL, and the name
// and the password of an administrator.
const [url = '', administrator = '', administratorsPassword = ''] = process.argv.slice(2)
const api = createClient<paths>({ baseUrl: url })

const bearer = (token: string | undefined) => ({
  headers: token === undefined ? {} : { authorization: `Bearer ${token}` }
})

/** @returns what the service gave @throws where it refused */
async function given<T>(call: Promise<{ data?: T; response: Response }>): Promise<NonNullable<T>> {
  const { data, response } = await call
  if (!response.ok) throw new Error(`${response.url} answered ${String(response.status)}`)
  return data as NonNullable<T>
}

/** @returns who answers with no content @throws where the service refused */
const done = (call: Promise<{ response: Response }>): Promise<unknown> => given(call)

const form = (fields: Record<string, string>) => new URLSearchParams(fields).toString()
const asForm = { bodySerializer: form, headers: { 'content-type': 'application/x-www-form-urlencoded' } }

await tryEndings(
  {
    register: (username, password) =>
      done(api.POST('/auth/registration', { body: { username, email: 'openapi-fetch@example.com', password } })),
    async login(username, password) {
      const tokens = await given(api.POST('/auth/login', { body: { username, password, transport: 'bearer' } }))
      return { access: tokens.access_token, refresh: tokens.refresh_token ?? '' }
    },
    userId: async (token) => (await given(api.GET('/auth/me', bearer(token)))).id,
    async currentSession(token) {
      const { items } = await given(api.GET('/auth/sessions', bearer(token)))
      return items.find(({ current }) => current)?.id ?? 'none'
    },
    guard: async (token) => (await api.GET('/authz', bearer(token))).response.status,

    logout: (token, refresh) =>
      done(api.POST('/auth/logout', { ...bearer(token), ...(refresh && { body: { refresh_token: refresh } }) })),
    endSession: (token, id) => done(api.DELETE('/auth/sessions/{id}', { ...bearer(token), params: { path: { id } } })),
    endOtherSessions: (token) => done(api.DELETE('/auth/sessions', bearer(token))),
    changePassword: (token, current, next) =>
      done(api.POST('/auth/password', { ...bearer(token), body: { current_password: current, new_password: next } })),
    deleteMe: (token, password) => done(api.DELETE('/auth/me', { ...bearer(token), body: { password } })),

    endUserSessions: (admin, id) =>
      done(api.DELETE('/admin/users/{id}/sessions', { ...bearer(admin), params: { path: { id } } })),
    revokeSessions: (admin, id) =>
      done(api.POST('/admin/sessions/revoke', { ...bearer(admin), body: { user_ids: [id] } })),
    disableUser: (admin, id, is_disabled) =>
      done(api.PATCH('/admin/users/{id}', { ...bearer(admin), params: { path: { id } }, body: { is_disabled } })),
    deleteUser: (admin, id) => done(api.DELETE('/admin/users/{id}', { ...bearer(admin), params: { path: { id } } })),

    async createClient(admin, name) {
      const { id, client_secret, secrets } = await given(
        api.POST('/admin/clients', {
          ...bearer(admin),
          body: { name, is_reader: false, is_author: false, is_admin: false }
        })
      )
      return { id, secret: client_secret, secretId: secrets[0]?.id ?? 'none' }
    },
    async addSecret(admin, { id }) {
      const added = await given(api.POST('/admin/clients/{id}/secrets', { ...bearer(admin), params: { path: { id } } }))
      return { id, secret: added.client_secret, secretId: added.id }
    },
    async clientToken(client) {
      const { data, response } = await api.POST('/oauth/token', {
        ...asForm,
        body: { grant_type: 'client_credentials' },
        headers: { ...asForm.headers, authorization: basic(client) }
      })
      return data?.access_token ?? response.status
    },
    revokeToken: (client, token) =>
      done(
        api.POST('/oauth/revoke', {
          ...asForm,
          body: { token },
          headers: { ...asForm.headers, authorization: basic(client) }
        })
      ),
    endSecret: (admin, { id, secretId }) =>
      done(
        api.DELETE('/admin/clients/{id}/secrets/{secret_id}', {
          ...bearer(admin),
          params: { path: { id, secret_id: secretId } }
        })
      ),
    disableClient: (admin, { id }, is_disabled) =>
      done(api.PATCH('/admin/clients/{id}', { ...bearer(admin), params: { path: { id } }, body: { is_disabled } })),
    deleteClient: (admin, { id }) =>
      done(api.DELETE('/admin/clients/{id}', { ...bearer(admin), params: { path: { id } } }))
  },
  'openapi-fetch',
  [administrator, administratorsPassword]
)

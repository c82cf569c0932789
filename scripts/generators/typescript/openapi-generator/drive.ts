import { type ClientCredentials, tryEndings } from './endings.ts'
import {
  AccessApi,
  AdministrationApi,
  AuthenticationApi,
  Configuration,
  ResponseError,
  ServicesApi
} from './generated/index'

// Drives a service by the client that openapi-generator makes as typescript-fetch: its URL, and the name and the password
// of an administrator. It is type-checked and run beside what is generated, and beside endings.ts.
const [basePath = '', administrator = '', administratorsPassword = ''] = process.argv.slice(2)

const by = (accessToken?: string) => new Configuration({ basePath, ...(accessToken !== undefined && { accessToken }) })
const user = (token?: string) => new AuthenticationApi(by(token))
const admin = (token: string) => new AdministrationApi(by(token))
const service = ({ id, secret }: ClientCredentials) =>
  new ServicesApi(new Configuration({ basePath, username: id, password: secret }))

/** @returns the status of a refusal */
function statusOf(error: unknown): number {
  if (error instanceof ResponseError) return error.response.status
  throw error
}

await tryEndings(
  {
    register: (username, password) =>
      user().register({ createUser: { username, email: 'typescript-fetch@example.com', password } }),
    async login(username, password) {
      const tokens = await user().login({ loginUser: { username, password, transport: 'bearer' } })
      return { access: tokens.accessToken, refresh: tokens.refreshToken ?? '' }
    },
    userId: async (token) => (await user(token).getMe()).id,
    async currentSession(token) {
      const { items } = await user(token).listSessions()
      return items.find(({ current }) => current)?.id ?? 'none'
    },
    guard: (token) => new AccessApi(by(token)).authorize().then(() => 204, statusOf),

    logout: (token, refreshToken) =>
      user(token).logout(refreshToken === undefined ? {} : { logoutUser: { refreshToken } }),
    endSession: (token, id) => user(token).endSession({ id }),
    endOtherSessions: (token) => user(token).endOtherSessions(),
    changePassword: (token, currentPassword, newPassword) =>
      user(token).changePassword({ changePassword: { currentPassword, newPassword } }),
    deleteMe: (token, password) => user(token).deleteMe({ deleteUser: { password } }),

    endUserSessions: (token, id) => admin(token).endUserSessions({ id }),
    revokeSessions: (token, id) => admin(token).revokeSessions({ revokeSessions: { userIds: [id] } }),
    disableUser: (token, id, isDisabled) => admin(token).updateUser({ id, adminUpdateUser: { isDisabled } }),
    deleteUser: (token, id) => admin(token).deleteUser({ id }),

    async createClient(token, name) {
      const { id, clientSecret, secrets } = await admin(token).createServiceClient({ createServiceClient: { name } })
      return { id, secret: clientSecret, secretId: secrets[0]?.id ?? 'none' }
    },
    async addSecret(token, { id }) {
      const { clientSecret, id: secretId } = await admin(token).createServiceClientSecret({ id })
      return { id, secret: clientSecret, secretId }
    },
    clientToken: (client) =>
      service(client)
        .issueClientToken({ grantType: 'client_credentials' })
        .then(({ accessToken }) => accessToken, statusOf),
    revokeToken: (client, token) => service(client).revokeToken({ token }),
    endSecret: (token, { id, secretId }) => admin(token).endServiceClientSecret({ id, secretId }),
    disableClient: (token, { id }, isDisabled) =>
      admin(token).updateServiceClient({ id, updateServiceClient: { isDisabled } }),
    deleteClient: (token, { id }) => admin(token).deleteServiceClient({ id })
  },
  'typescript-fetch',
  [administrator, administratorsPassword]
)

/** What each generated client can do, in the same words; it throws where the service refuses. Without a token none is sent. */
export interface Gatehouse {
  register: (username: string, password: string) => Promise<unknown>
  login: (username: string, password: string) => Promise<Tokens>
  userId: (token: string) => Promise<number>
  currentSession: (token: string) => Promise<string>
  /** @returns the status of the answer to who has the token */
  guard: (token: string) => Promise<number>

  logout: (token: string | undefined, refreshToken?: string) => Promise<unknown>
  endSession: (token: string, id: string) => Promise<unknown>
  endOtherSessions: (token: string) => Promise<unknown>
  changePassword: (token: string, current: string, next: string) => Promise<unknown>
  deleteMe: (token: string, password: string) => Promise<unknown>

  endUserSessions: (admin: string, user: number) => Promise<unknown>
  revokeSessions: (admin: string, user: number) => Promise<unknown>
  disableUser: (admin: string, user: number, isDisabled: boolean) => Promise<unknown>
  deleteUser: (admin: string, user: number) => Promise<unknown>

  createClient: (admin: string, name: string) => Promise<ClientCredentials>
  addSecret: (admin: string, client: ClientCredentials) => Promise<ClientCredentials>
  /** @returns the token, or the status of the refusal */
  clientToken: (client: ClientCredentials) => Promise<string | number>
  revokeToken: (client: ClientCredentials, token: string) => Promise<unknown>
  endSecret: (admin: string, client: ClientCredentials) => Promise<unknown>
  disableClient: (admin: string, client: ClientCredentials, isDisabled: boolean) => Promise<unknown>
  deleteClient: (admin: string, client: ClientCredentials) => Promise<unknown>
}

export interface Tokens {
  access: string
  refresh: string
}

export interface ClientCredentials {
  id: string
  secret: string
  secretId: string
}

export const basic = ({ id, secret }: ClientCredentials): string =>
  `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`

const first = 'a long and quiet evening'
const second = 'another long and quiet evening'

/** Ends sessions, accounts and clients in every way there is: after each the token that was good before is refused. */
export async function tryEndings(
  service: Gatehouse,
  username: string,
  [administrator, administratorsPassword]: [string, string]
): Promise<void> {
  const start = (password: string) => service.login(username, password)
  const signUp = async (password: string) => {
    await service.register(username, password)
    return service.userId((await start(password)).access)
  }
  async function ends(what: string, token: string, end: () => Promise<unknown>): Promise<void> {
    expectStatus(`${what}: the token before`, await service.guard(token), 204)
    await end()
    expectStatus(`${what}: the token afterwards`, await service.guard(token), 401)
  }

  const { access: admin } = await service.login(administrator, administratorsPassword)
  let user = await signUp(first)
  const { access: other } = await start(first)

  let { access, refresh } = await start(first)
  await ends('logout', access, () => service.logout(access))
  ;({ access, refresh } = await start(first))
  await ends('logout by the refresh token', access, () => service.logout(undefined, refresh))
  ;({ access } = await start(first))
  await ends('the end of a session', access, async () =>
    service.endSession(other, await service.currentSession(access))
  )
  ;({ access } = await start(first))
  await ends('the end of the other sessions', access, () => service.endOtherSessions(other))
  ;({ access } = await start(first))
  await ends('a change of the password', access, () => service.changePassword(access, first, second))

  ;({ access } = await start(second))
  await ends("the end of a user's sessions", access, () => service.endUserSessions(admin, user))
  ;({ access } = await start(second))
  await ends('the end of many sessions', access, () => service.revokeSessions(admin, user))
  ;({ access } = await start(second))
  await ends('disabling a user', access, () => service.disableUser(admin, user, true))
  await service.disableUser(admin, user, false)
  ;({ access } = await start(second))
  await ends("deleting one's account", access, () => service.deleteMe(access, second))
  user = await signUp(second)
  ;({ access } = await start(second))
  await ends('deleting a user', access, () => service.deleteUser(admin, user))

  const client = await service.createClient(admin, username)
  const renewed = await service.addSecret(admin, client)
  let token = String(await service.clientToken(client))
  await ends("revoking a client's token", token, () => service.revokeToken(client, token))
  await service.endSecret(admin, client)
  expectStatus("the end of a client's secret: the secret afterwards", await service.clientToken(client), 401)
  token = String(await service.clientToken(renewed))
  await ends('disabling a client', token, () => service.disableClient(admin, client, true))
  await service.disableClient(admin, client, false)
  token = String(await service.clientToken(renewed))
  await ends('deleting a client', token, () => service.deleteClient(admin, client))
}

function expectStatus(what: string, actual: unknown, expected: number): void {
  if (actual !== expected) throw new Error(`${what} answers ${String(actual)}, not ${String(expected)}`)
}

import createClient, { type Client } from 'openapi-fetch'
import type { components, paths } from './generated/openapi.ts'
import { createSessionFetch } from './session-fetch.ts'
import { memoryStore, type TokenStore } from './token-store.ts'

export interface GatehouseOptions {
  /** Where Gatehouse is, such as `https://login.example.com`. */
  baseUrl: string
  /** `bearer`, the default: tokens are kept here and sent as a header. `cookie`: the browser keeps them, out of reach of scripts. */
  transport?: 'bearer' | 'cookie'
  /** Where tokens are kept by `bearer`: in memory, unless named. */
  store?: TokenStore
  /** Called once when the session has ended elsewhere or for its age; not after `logOut`. */
  onSignedOut?: () => void
  fetch?: typeof fetch
}

export interface Gatehouse extends Client<paths> {
  logIn: (credentials: Pick<components['schemas']['LoginUser'], 'username' | 'password'>) => ReturnType<typeof logIn>
  logOut: () => ReturnType<typeof logOut>
  /** `fetch` with the user's token, for services that trust Gatehouse's tokens. Give it no other address. */
  fetch: typeof fetch
}

/** A client for one user: every operation with its types, and tokens that renew themselves. */
export function createGatehouse(options: GatehouseOptions): Gatehouse {
  const { baseUrl, transport = 'bearer', onSignedOut, fetch = globalThis.fetch } = options
  const store = transport === 'bearer' ? (options.store ?? memoryStore()) : undefined
  const sessionFetch = createSessionFetch({ baseUrl, store, onSignedOut, fetch })
  const client = createClient<paths>({ baseUrl, fetch: sessionFetch })
  return {
    ...client,
    logIn: ({ username, password }) => logIn(client, { username, password, transport }),
    logOut: () => logOut(client),
    fetch: sessionFetch
  }
}

const logIn = (client: Client<paths>, body: components['schemas']['LoginUser']) => client.POST('/auth/login', { body })
const logOut = (client: Client<paths>) => client.POST('/auth/logout')

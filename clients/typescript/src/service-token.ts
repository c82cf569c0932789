import createClient, { type Client } from 'openapi-fetch'
import type { paths } from './generated/openapi.ts'
import { refusesToken } from './refusal.ts'

export interface ServiceCredentials {
  /** Where Gatehouse is, such as `https://login.example.com`. */
  baseUrl: string
  clientId: string
  clientSecret: string
  /** Roles, separated by blanks; all that the client has, unless named. */
  scope?: string
  fetch?: typeof fetch
}

export interface ServiceToken {
  /** @returns an access token that is good for a while yet: from memory, mostly */
  get: () => Promise<string>
  /** `fetch` with the service's token, for services that trust Gatehouse's tokens. Give it no other address. */
  fetch: typeof fetch
}

export interface ServiceClient extends Client<paths> {
  token: ServiceToken
}

/** Gatehouse gave no token. It holds what Gatehouse said, and nothing of the request. */
export class ServiceTokenError extends Error {
  override readonly name = 'ServiceTokenError'
  readonly status: number
  /** A code of RFC 6749 §5.2, such as `invalid_client`. */
  readonly code: string | undefined

  constructor(status: number, code: string | undefined) {
    super(`Gatehouse gave no token to this service: ${code ?? 'no reason given'} (${String(status)})`)
    this.status = status
    this.code = code
  }
}

/** A token by client_credentials (RFC 6749 §4.4): kept until shortly before its end, and asked for once however many need it. */
export function createServiceToken(credentials: ServiceCredentials): ServiceToken {
  const { baseUrl, clientId, clientSecret, scope, fetch = globalThis.fetch } = credentials
  let kept: { token: string; until: number } | undefined
  let asking: Promise<string> | undefined

  async function get(): Promise<string> {
    if (kept !== undefined && Date.now() < kept.until) return kept.token
    asking ??= ask().finally(() => {
      asking = undefined
    })
    return asking
  }

  async function ask(): Promise<string> {
    const answer = await fetch(`${baseUrl.replace(/\/+$/, '')}/oauth/token`, {
      method: 'POST',
      // RFC 6749 §2.3.1: both halves are form-encoded before they are put together.
      headers: { authorization: `Basic ${btoa([clientId, clientSecret].map(encodeURIComponent).join(':'))}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope !== undefined && { scope }) })
    })
    const body = (await answer.json().catch(() => ({}))) as {
      access_token?: string
      expires_in?: number
      error?: string
      code?: string
    }
    if (!answer.ok || body.access_token === undefined)
      throw new ServiceTokenError(answer.status, body.error ?? body.code)
    const seconds = body.expires_in ?? 0
    kept = { token: body.access_token, until: Date.now() + (seconds - Math.min(30, seconds / 10)) * 1000 }
    return kept.token
  }

  async function send(request: Request, token: string): Promise<Response> {
    request.headers.set('authorization', `Bearer ${token}`)
    return fetch(request)
  }

  return {
    get,
    async fetch(input, init) {
      const request = new Request(input, init)
      const token = await get()
      const answer = await send(request.clone(), token)
      if (!(await refusesToken(answer))) return answer
      // Revoked, or the keys have changed. Another call may have got a new one by now.
      if (kept?.token === token) kept = undefined
      return send(request, await get())
    }
  }
}

/** A client for a service that acts on its own account. Its secret has no place in a browser. */
export function createServiceClient(credentials: ServiceCredentials): ServiceClient {
  const token = createServiceToken(credentials)
  return { ...createClient<paths>({ baseUrl: credentials.baseUrl, fetch: token.fetch }), token }
}

import { refusesToken } from './refusal.ts'
import type { Tokens, TokenStore } from './token-store.ts'

export interface SessionOptions {
  /** Where Gatehouse is. */
  baseUrl: string
  /** Where the tokens are kept; undefined where a browser keeps them in its cookies. */
  store: TokenStore | undefined
  /** Called once when a session has ended that nobody ended here. */
  onSignedOut: (() => void) | undefined
  fetch: typeof fetch
}

/** Replaced when another session begins: a request of one user must not be sent again as another. */
interface Session {
  renewals: number
  renewing: Promise<Outcome> | undefined
  /** Whether the caller knows that nobody is signed in. */
  over: boolean
}

/** A response is an answer that leaves open whether the session lives, such as 503. */
type Outcome = 'renewed' | 'over' | Response

/**
 * `fetch` with the tokens of a session. What is refused for its access token is sent once more after a refresh,
 * and however many are refused at a time, there is one refresh.
 */
export function createSessionFetch({ baseUrl, store, onSignedOut, fetch }: SessionOptions): typeof fetch {
  const base = baseUrl.replace(/\/+$/, '')
  let session = begin({ over: false })

  return async function sessionFetch(input, init) {
    const request = new Request(input, init)
    if (request.headers.has('authorization')) return fetch(request)
    const operation = `${request.method} ${request.url.slice(base.length)}`
    if (operation === 'POST /auth/logout') await renewBeforeTheEnd()

    const mine = session
    const { renewals } = mine
    const answer = await send(request.clone())
    if (!(await refusesToken(answer))) return remember(operation, answer)

    if (mine !== session || (store !== undefined && (await store.load()) === undefined)) return answer
    const outcome = mine.renewals > renewals ? 'renewed' : await renew(mine)
    if (outcome === 'renewed') return remember(operation, await send(request))
    // Not the 401: it would be taken for the end of the session, which this answer does not tell.
    return outcome === 'over' ? answer : outcome.clone()
  }

  async function send(request: Request): Promise<Response> {
    if (store === undefined) return fetch(new Request(request, { credentials: 'include' }))
    const tokens = await store.load()
    if (tokens !== undefined) request.headers.set('authorization', `Bearer ${tokens.access_token}`)
    return fetch(request)
  }

  function renew(mine: Session): Promise<Outcome> {
    mine.renewing ??= refresh(mine).finally(() => {
      mine.renewing = undefined
    })
    return mine.renewing
  }

  async function refresh(mine: Session): Promise<Outcome> {
    const tokens = await store?.load()
    const answer = await fetch(`${base}/auth/refresh`, {
      method: 'POST',
      ...(store === undefined && { credentials: 'include' }),
      ...(tokens !== undefined && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ refresh_token: tokens.refresh_token })
      })
    })
    const renewed = answer.ok ? ((await answer.json()) as Tokens) : undefined
    if (mine !== session) return 'over'
    if (renewed !== undefined) {
      await store?.save(renewed)
      mine.renewals += 1
      mine.over = false
      return 'renewed'
    }
    if (answer.status !== 401) return answer
    session = begin({ over: true })
    await store?.save(undefined)
    if (!mine.over) onSignedOut?.()
    return 'over'
  }

  // Logging out goes by the access token: with one that is refused, the session would live on.
  async function renewBeforeTheEnd(): Promise<void> {
    if (store === undefined || (await store.load()) === undefined) return
    session.over = true
    await renew(session)
  }

  async function remember(operation: string, answer: Response): Promise<Response> {
    if (!answer.ok) return answer
    if (operation === 'POST /auth/login' || operation === 'POST /auth/refresh') {
      const tokens = (await answer.clone().json()) as Tokens
      if (operation === 'POST /auth/login') session = begin({ over: false })
      else session.renewals += 1
      if (tokens.refresh_token !== undefined) await store?.save(tokens)
    }
    if (operation === 'POST /auth/logout' || operation === 'DELETE /auth/me') {
      session = begin({ over: true })
      await store?.save(undefined)
    }
    return answer
  }
}

const begin = ({ over }: { over: boolean }): Session => ({ renewals: 0, renewing: undefined, over })

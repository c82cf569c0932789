import type { Language } from './language.ts'
import type { ClientScope } from './scopes.ts'

/** Where a change came from: a request, or a command of an operator. */
export interface Origin {
  ip?: string | undefined
  userAgent?: string | undefined
  requestId?: string | undefined
  /** The user who did it. */
  actorId?: number | undefined
  /** The service that did it in its own name. */
  actorClientId?: string | undefined
  /** Whether the mails that it causes are limited: not those of commands, nor any with RATE_LIMIT=off. */
  isLimited?: boolean | undefined
  /** The same, as the request's token says: what `requireActor` holds them to. */
  actor?: Actor | undefined
  /** What that service may do, where it is no administrator; absent for a caller without such limits. */
  scopes?: ReadonlySet<ClientScope> | undefined
  /** What they read: the language of mails to them. */
  language?: Language | undefined
}

export type Actor =
  | { kind: 'user'; userId: number; sessionId: string; version: number }
  | { kind: 'client'; clientId: string; sessionId: string; version: number }

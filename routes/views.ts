import type { Static } from '@sinclair/typebox'
import type { Page } from '../src/database/pagination.ts'
import type { AuditRow } from '../src/repositories/audit-event-list.ts'
import type { WaitingMail } from '../src/mail/mailbox.ts'
import type { ClientWithSecrets, SecretRow } from '../src/repositories/clients.ts'
import type { SessionView } from '../src/repositories/sessions.ts'
import type { UserRow } from '../src/repositories/users.ts'
import { claimsFor, listRoles } from '../src/roles.ts'
import { scopesIn } from '../src/scopes.ts'
import type { Principal } from '../src/tokens/claims.ts'
import type { AdminUserResponse } from './admin/schemas.ts'
import type { UserResponse } from './schemas.ts'

// Every row as answers, exports and the command line show it. What is not named here does not leave the service.

/** A page of a list, each row of it by its own view. */
export const viewPage = <Row, View>({ items, nextCursor }: Page<Row>, view: (row: Row) => View) => ({
  items: items.map(view),
  next_cursor: nextCursor
})

/** A user as they see themselves. */
export const viewUser = (user: UserRow): Static<typeof UserResponse> => ({
  id: user.id,
  username: user.username,
  first_name: user.firstName,
  second_name: user.secondName,
  email: user.email,
  email_verified: user.emailVerified,
  pending_email: user.pendingEmail,
  ...claimsFor(listRoles(user)),
  created_at: user.createdAt,
  updated_at: user.updatedAt
})

/** A user as administrators see them. */
export const viewUserForAdmins = (user: UserRow): Static<typeof AdminUserResponse> => ({
  ...viewUser(user),
  is_disabled: user.isDisabled,
  last_login_at: user.lastLoginAt
})

export const viewSession = (session: SessionView, principal: Pick<Principal, 'sessionId'>) => ({
  id: session.id,
  created_at: session.createdAt,
  last_used_at: session.lastUsedAt,
  expires_at: session.expiresAt,
  ip: session.ip,
  user_agent: session.userAgent,
  current: session.id === principal.sessionId
})

export const viewSecret = (secret: SecretRow) => ({
  id: secret.id,
  created_at: secret.createdAt,
  last_used_at: secret.lastUsedAt
})

export const viewClient = (client: ClientWithSecrets) => ({
  id: client.id,
  name: client.name,
  ...claimsFor(listRoles(client)),
  scopes: [...scopesIn(client.scopes)],
  is_disabled: client.isDisabled,
  created_at: client.createdAt,
  secrets: client.secrets.map(viewSecret)
})

export const viewEvent = (event: AuditRow) => ({
  id: event.id,
  type: event.type,
  actor_id: event.actorId,
  actor_client_id: event.actorClientId,
  user_id: event.userId,
  ip: event.ip,
  user_agent: event.userAgent,
  request_id: event.requestId,
  details: event.details,
  created_at: event.createdAt
})

/**
 * An event as its user may keep it. Who an administrator or a service that acted on them was, and from where, is not theirs
 * to take along (GDPR, article 15 (4)).
 */
export function viewOwnEvent(event: AuditRow) {
  const view = viewEvent(event)
  const isByAnother = event.actorClientId !== null || (event.actorId !== null && event.actorId !== event.userId)
  if (!isByAnother) return view
  return { ...view, actor_id: null, actor_client_id: null, ip: null, user_agent: null, request_id: null }
}

export const viewMail = ({ id, createdAt, to, subject, text, html }: WaitingMail) => ({
  id,
  created_at: createdAt,
  to,
  subject,
  text,
  html
})

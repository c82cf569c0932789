import type { AuditRow } from '../repositories/audit-event-list.ts'

/** An event as answers, exports and the command line give it. */
export const describeEvent = (event: AuditRow) => ({
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
 * An event as the user whom it is about may keep it. Of what an administrator or a service did to them, who that was and
 * from where is not theirs to take along (GDPR, article 15 (4)).
 */
export function describeOwnEvent(event: AuditRow) {
  const description = describeEvent(event)
  const isByAnother = event.actorClientId !== null || (event.actorId !== null && event.actorId !== event.userId)
  if (!isByAnother) return description
  return { ...description, actor_id: null, actor_client_id: null, ip: null, user_agent: null, request_id: null }
}

import type { AuditRow } from './listing.ts'

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

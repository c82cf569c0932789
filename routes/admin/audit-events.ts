import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { type AuditEventType, auditEventTypes } from '../../src/repositories/audit-events.ts'
import { listEvents } from '../../src/repositories/audit-event-list.ts'
import { foreignCursor } from '../../src/database/pagination.ts'
import { ok, strict, UserId } from '../schemas.ts'
import { AuditEventList, Cursor, Instant, instantFault, instantIn, Limit } from './schemas.ts'
import { viewEvent } from '../views.ts'

const EventType = Type.Unsafe<AuditEventType>({
  type: 'string',
  enum: [...auditEventTypes],
  examples: ['user.login_failed']
})

export const auditEvents: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'GET',
    url: '/audit-events',
    config: {
      scope: 'audit:read',
      problems: ['unavailable'],
      refuses: [foreignCursor, ...['since', 'until'].map((name) => instantFault(name))]
    },
    schema: {
      operationId: 'listAuditEvents',
      summary: 'List audit events, newest first',
      tags: ['administration'],
      querystring: Type.Object(
        {
          limit: Limit,
          cursor: Type.Optional(Cursor),
          type: Type.Optional(EventType),
          user_id: Type.Optional(UserId),
          since: Type.Optional(Instant('At or after this time')),
          until: Type.Optional(Instant('Before this time'))
        },
        strict
      ),
      response: { 200: ok(AuditEventList, 'A page of users') }
    },
    async handler(request) {
      const { limit, cursor, type, user_id: userId, since, until } = request.query
      const { items, nextCursor } = await listEvents(app.database.db, {
        limit,
        ...(cursor !== undefined && { cursor }),
        ...(type !== undefined && { type }),
        ...(userId !== undefined && { userId }),
        ...(since !== undefined && { since: instantIn('since', since) }),
        ...(until !== undefined && { until: instantIn('until', until) })
      })
      return { items: items.map(viewEvent), next_cursor: nextCursor }
    }
  })
}

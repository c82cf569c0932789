import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { type AuditEventType, auditEventTypes } from '../../src/repositories/audit-events.ts'
import { foreignCursor } from '../../src/database/pagination.ts'
import { toDomain } from '../bodies.ts'
import { ok, strict, UserId } from '../schemas.ts'
import { AuditEventList, Instant, instantFault, instantIn, paging } from './schemas.ts'
import { viewEvent, viewPage } from '../views.ts'

const EventType = Type.Unsafe<AuditEventType>({
  type: 'string',
  enum: [...auditEventTypes],
  examples: ['user.login_failed']
})

export const auditEvents: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'GET',
    url: '/audit-events',
    config: { scope: 'audit:read', refuses: [foreignCursor, ...['since', 'until'].map((name) => instantFault(name))] },
    schema: {
      operationId: 'listAuditEvents',
      summary: 'List audit events, newest first',
      querystring: Type.Object(
        {
          ...paging,
          type: Type.Optional(EventType),
          user_id: Type.Optional(UserId),
          since: Type.Optional(Instant('At or after this time')),
          until: Type.Optional(Instant('Before this time'))
        },
        strict
      ),
      response: { 200: ok(AuditEventList, 'A page of events') }
    },
    async handler(request) {
      const { since, until, ...query } = request.query
      const events = await app.operations.listAuditEvents({
        ...toDomain(query),
        since: instantIn('since', since),
        until: instantIn('until', until)
      })
      return viewPage(events, viewEvent)
    }
  })
}

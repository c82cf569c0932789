import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Static } from '@sinclair/typebox'
import { type Fault, Problem } from '../../src/errors.ts'
import type { SessionFilter } from '../../src/repositories/session-batches.ts'
import { requirePrincipal } from '../../plugins/access.ts'
import { readOrigin } from '../../plugins/http/origin.ts'
import { noContent, ok, ref, SessionList } from '../schemas.ts'
import { instantFault, instantIn, Revoked, RevokeSessions, UserParams } from './schemas.ts'
import { viewSession } from '../views.ts'

const unconditional: Fault = { path: '/body', message: 'must name user_ids, role, created_before or all' }
const contradictory: Fault = { path: '/body', message: 'must not name another condition beside all' }

export const sessions: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'POST',
    url: '/sessions/revoke',
    config: {
      scope: 'sessions:revoke',
      fresh: true,
      refuses: [unconditional, contradictory, instantFault('created_before')]
    },
    schema: {
      operationId: 'revokeSessions',
      summary: 'End many sessions at once',
      description:
        'Sessions that begin meanwhile are not affected. If the call fails midway, sessions that have ended stay ended: ' +
        'the same call again ends the rest.',
      body: ref(RevokeSessions),
      response: { 200: ok(Revoked, 'The number of sessions that ended, or would end') }
    },
    async handler(request) {
      const filter = toFilter(request.body)
      const { countMatchingSessions, endMatchingSessions } = app.operations
      const isDry = request.body.dry_run === true
      return {
        revoked: await (isDry ? countMatchingSessions(filter) : endMatchingSessions(filter, readOrigin(request)))
      }
    }
  })

  app.route({
    method: 'GET',
    url: '/users/:id/sessions',
    config: { scope: 'users:read', problems: ['not_found'] },
    schema: {
      operationId: 'listUserSessions',
      summary: 'List the sessions of a user',
      params: UserParams,
      response: { 200: ok(SessionList, 'The sessions, most recently used first') }
    },
    async handler(request) {
      const items = await app.operations.listUserSessions(request.params.id)
      return { items: items.map((session) => viewSession(session, requirePrincipal(request))) }
    }
  })

  app.route({
    method: 'DELETE',
    url: '/users/:id/sessions',
    config: { scope: 'sessions:revoke', problems: ['not_found'] },
    schema: {
      operationId: 'endUserSessions',
      summary: 'End all sessions of a user',
      params: UserParams,
      response: { 204: noContent('Every session of the user has ended') }
    },
    async handler(request, reply) {
      await app.operations.endUserSessions(request.params.id, readOrigin(request))
      return reply.code(204).send(null)
    }
  })
}

/** A body that forgot its conditions must not end every session there is. */
function toFilter({ all, user_ids, role, created_before }: Static<typeof RevokeSessions>): SessionFilter {
  const isFiltered = user_ids !== undefined || role !== undefined || created_before !== undefined
  if (all === true && isFiltered) throw Problem.validation([contradictory])
  if (all === undefined && !isFiltered) throw Problem.validation([unconditional])
  return { userIds: user_ids, role, createdBefore: instantIn('created_before', created_before)?.toISOString() }
}

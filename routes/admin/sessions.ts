import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Static } from '@sinclair/typebox'
import { type Fault, Problem } from '../../src/errors.ts'
import type { SessionFilter } from '../../src/repositories/session-batches.ts'
import { readOrigin } from '../../plugins/http/origin.ts'
import { toDomain } from '../bodies.ts'
import { ok, ref } from '../schemas.ts'
import { instantFault, instantIn, Revoked, RevokeSessions } from './schemas.ts'

const unconditional: Fault = { path: '/body', message: 'must name user_ids, role, created_before or all' }
const contradictory: Fault = { path: '/body', message: 'must not name another condition beside all' }

export const sessions: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'POST',
    url: '/sessions/revoke',
    config: {
      scope: 'sessions:revoke',
      fresh: true,
      problems: ['cross_origin_refused', 'unavailable'],
      refuses: [unconditional, contradictory, instantFault('created_before')]
    },
    schema: {
      operationId: 'revokeSessions',
      summary: 'End many sessions at once',
      description:
        'Sessions that begin meanwhile are not affected. If the call fails midway, sessions that have ended stay ended: ' +
        'the same call again ends the rest.',
      tags: ['administration'],
      body: ref(RevokeSessions),
      response: { 200: ok(Revoked, 'The number of sessions that ended, or would end') }
    },
    async handler(request) {
      const filter = toFilter(request.body)
      const { operations } = app
      const count =
        request.body.dry_run === true
          ? operations.countMatchingSessions(filter)
          : operations.endMatchingSessions(filter, readOrigin(request))
      return { revoked: await count }
    }
  })
}

/** A body that forgot its conditions must not end every session there is. */
function toFilter({ all, user_ids, role, created_before }: Static<typeof RevokeSessions>): SessionFilter {
  const isFiltered = user_ids !== undefined || role !== undefined || created_before !== undefined
  if (all === true && isFiltered) throw Problem.validation([contradictory])
  if (all === undefined && !isFiltered) throw Problem.validation([unconditional])
  return toDomain({
    ...(user_ids && { user_ids }),
    ...(role && { role }),
    ...(created_before && { created_before: instantIn('created_before', created_before).toISOString() })
  })
}

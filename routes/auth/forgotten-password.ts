import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { deadLink } from '../../src/factors/email-link.ts'
import { listWeaknesses } from '../../src/passwords/policy.ts'
import { readOrigin } from '../../plugins/http/origin.ts'
import { accepted, noContent, ref } from '../schemas.ts'
import { ForgotPassword, ResetPassword } from './schemas.ts'
import { toDomain } from '../bodies.ts'

export const forgottenPassword: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'POST',
    url: '/password/forgot',
    config: { access: 'public', limit: 'forgot' },
    schema: {
      operationId: 'forgotPassword',
      summary: 'Request a password reset link',
      description: 'Answers the same, and takes the same time, whether the address is known or not.',
      body: ref(ForgotPassword),
      response: { 202: accepted('If the address is known, a mail is on its way') }
    },
    async handler(request, reply) {
      await app.operations.forgotPassword(request.body.email, readOrigin(request))
      return reply.code(202).send()
    }
  })

  app.route({
    method: 'POST',
    url: '/password/reset',
    config: {
      access: 'public',
      limit: 'link',
      problems: ['overloaded'],
      refuses: [deadLink, ...listWeaknesses('new_password')]
    },
    schema: {
      operationId: 'resetPassword',
      summary: 'Set a password with a mailed link',
      description:
        'Takes the token of a password reset link or of an invitation. The token works once; a refused password does not use it up.',
      body: ref(ResetPassword),
      response: { 204: noContent("The password is set, and every session of the user's has ended") }
    },
    async handler(request, reply) {
      await app.operations.resetPassword(toDomain(request.body), readOrigin(request))
      return reply.code(204).send(null)
    }
  })
}

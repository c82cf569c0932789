import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { requireUser } from '../../plugins/access.ts'
import { deadLink } from '../../src/factors/email-link.ts'
import { readOrigin } from '../../plugins/http/origin.ts'
import { accepted, noContent, ref } from '../schemas.ts'
import { DisownEmail, UndoEmailChange, VerifyEmail } from './schemas.ts'

export const email: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'POST',
    url: '/email/verification',
    config: { access: 'user', limit: 'mail' },
    schema: {
      operationId: 'requestEmailVerification',
      summary: 'Request a new verification link',
      description:
        'Sent to `pending_email` if there is one. Earlier links become void. Nothing is sent to an ' +
        'address that is verified.',
      response: { 202: accepted('A mail is on its way, unless the address is verified already') }
    },
    async handler(request, reply) {
      await app.operations.requestEmailVerification(requireUser(request), readOrigin(request))
      return reply.code(202).send()
    }
  })

  app.route({
    method: 'POST',
    url: '/email/verify',
    config: { access: 'public', limit: 'link', problems: ['email_taken'], refuses: [deadLink] },
    schema: {
      operationId: 'verifyEmail',
      summary: 'Verify an e-mail address with a mailed link',
      description: 'Also verifies a `pending_email`, which then becomes `email`.',
      body: ref(VerifyEmail),
      response: { 204: noContent('The address is verified') }
    },
    async handler(request, reply) {
      await app.operations.verifyEmail(request.body.token, readOrigin(request))
      return reply.code(204).send(null)
    }
  })

  app.route({
    method: 'POST',
    url: '/email/disown',
    config: { access: 'public', limit: 'link', problems: ['last_admin'], refuses: [deadLink] },
    schema: {
      operationId: 'disownEmail',
      summary: 'Report that an account is not yours, with its verification link',
      description:
        'An account whose address was never verified is deleted; a change of address that waits for its link is ' +
        'dropped. An account that was verified before keeps its address, unverified.',
      body: ref(DisownEmail),
      response: { 204: noContent('The account is deleted, or the change is dropped') }
    },
    async handler(request, reply) {
      await app.operations.disownEmail(request.body.token, readOrigin(request))
      return reply.code(204).send(null)
    }
  })

  app.route({
    method: 'POST',
    url: '/email/undo',
    config: { access: 'public', limit: 'link', problems: ['email_taken'], refuses: [deadLink] },
    schema: {
      operationId: 'undoEmailChange',
      summary: 'Undo a change of address with the link mailed to the old address',
      description:
        'Works once, within 7 days, whatever else has changed since. Every session ends, links that were ' +
        'mailed since are void, and a link to set another password goes to the address.',
      body: ref(UndoEmailChange),
      response: { 204: noContent('The address is what it was before') }
    },
    async handler(request, reply) {
      await app.operations.undoEmailChange(request.body.token, readOrigin(request))
      return reply.code(204).send(null)
    }
  })
}

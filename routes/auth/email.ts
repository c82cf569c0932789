import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { userOf } from '../../plugins/access.ts'
import { deadLink } from '../../src/accounts/service.ts'
import { originOf } from '../origin.ts'
import { accepted, noContent, ref } from '../schemas.ts'
import { VerifyEmail } from './schemas.ts'

export const email: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'POST',
    url: '/email/verification',
    config: { access: 'user', limit: 'mail', problems: ['cross_origin_refused', 'unavailable'] },
    schema: {
      operationId: 'requestEmailVerification',
      summary: 'Ask for the link to verify the own address again',
      description: 'The links from before are void from then on. Of an address that is verified nothing is sent.',
      tags: ['authentication'],
      response: { 202: accepted('A mail is on its way, unless the address is verified already') }
    },
    async handler(request, reply) {
      await app.accounts.requestVerification(userOf(request), originOf(request))
      return reply.code(202).send()
    }
  })

  app.route({
    method: 'POST',
    url: '/email/verify',
    config: { access: 'public', limit: 'link', problems: ['unavailable'], refuses: [deadLink] },
    schema: {
      operationId: 'verifyEmail',
      summary: 'Verify an address by a mailed link',
      tags: ['authentication'],
      body: ref(VerifyEmail),
      response: { 204: noContent('The address is verified') }
    },
    async handler(request, reply) {
      await app.accounts.verifyEmail(request.body.token, originOf(request))
      return reply.code(204).send(null)
    }
  })
}

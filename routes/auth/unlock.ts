import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { deadLink } from '../../src/factors/email-link.ts'
import { readOrigin } from '../../plugins/http/origin.ts'
import { accepted, noContent, ref } from '../schemas.ts'
import { RequestUnlock, Unlock } from './schemas.ts'

export const unlock: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'POST',
    url: '/unlock/request',
    config: { access: 'public', limit: 'forgot' },
    schema: {
      operationId: 'requestUnlock',
      summary: 'Request an unlock link',
      description:
        'For users whose login is `rate_limited` after failed attempts by others. Answers the same, and takes the same time, ' +
        'whether the address is known or not.',
      body: ref(RequestUnlock),
      response: { 202: accepted('If the address is known, a mail is on its way') }
    },
    async handler(request, reply) {
      await app.operations.requestUnlock(request.body.email, readOrigin(request))
      return reply.code(202).send()
    }
  })

  app.route({
    method: 'POST',
    url: '/unlock',
    config: { access: 'public', limit: 'link', problems: ['cross_origin_refused'], refuses: [deadLink] },
    schema: {
      operationId: 'unlock',
      summary: 'Unlock your account with a mailed link',
      description:
        'Forgets the failed logins of the user, and sets a cookie by which this device is known: failures elsewhere no ' +
        'longer keep the user from logging in here. The token works once; the password stays as it is.',
      body: ref(Unlock),
      response: { 204: noContent('The user can log in') }
    },
    async handler(request, reply) {
      request.refuseCrossOrigin()
      const token = await app.operations.unlock(request.body.token, readOrigin(request), request.device())
      return reply.setDeviceCookie(token).code(204).send(null)
    }
  })
}

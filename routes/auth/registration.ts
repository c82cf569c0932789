import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { listWeaknesses } from '../../src/passwords/policy.ts'
import { readOrigin } from '../../plugins/http/origin.ts'
import { Message, ok, ref } from '../schemas.ts'
import { CreateUser } from './schemas.ts'

export const registration: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'POST',
    url: '/registration',
    config: {
      access: 'public',
      limit: 'registration',
      problems: ['username_taken', 'email_taken', 'overloaded'],
      refuses: listWeaknesses('password')
    },
    schema: {
      operationId: 'register',
      summary: 'Register a user',
      description: 'A new user is a reader and nothing else.',
      body: ref(CreateUser),
      response: { 201: ok(Message, 'The user was created') }
    },
    async handler(request, reply) {
      await app.operations.register(request.body, readOrigin(request))
      return reply.code(201).send({ message: 'User created successfully' })
    }
  })
}

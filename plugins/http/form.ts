import formbody from '@fastify/formbody'
import type { FastifyInstance } from 'fastify'
import { OAuthError, repeated } from '../../src/oauth-errors.ts'

/** What a form holds, by its names. */
export type Form = Partial<Record<string, string>>

/**
 * For the OAuth endpoints, whose bodies are forms (RFC 6749 §3.2): a parameter without a value counts as omitted,
 * one that is there twice is refused.
 */
export async function takeForms(scope: FastifyInstance): Promise<void> {
  scope.removeAllContentTypeParsers()
  await scope.register(formbody)
  scope.addHook('preValidation', (request, _reply, done) => {
    const form: Form = {}
    for (const [name, value] of Object.entries((request.body ?? {}) as Record<string, string | string[]>)) {
      if (typeof value !== 'string') {
        done(new OAuthError('invalid_request', repeated))
        return
      }
      if (value !== '') form[name] = value
    }
    request.body = form
    done()
  })
}

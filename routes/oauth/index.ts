import type { FastifyInstance, FastifyRequest } from 'fastify'
import { toProblem } from '../../plugins/errors.ts'
import { takeForms } from '../../plugins/http/form.ts'
import type { ProblemCode } from '../../src/errors.ts'
import { OAuthError } from '../../src/oauth-errors.ts'
import { introspect } from './introspect.ts'
import { revoke } from './revoke.ts'
import { token } from './token.ts'

/** For services: tokens by their secret, and answers about tokens. Errors are those of RFC 6749 §5.2. */
export async function oauth(app: FastifyInstance): Promise<void> {
  await takeForms(app)
  app.setErrorHandler((error, request, reply) => {
    const refusal = toOAuthError(error, request)
    // What OAuth has no error code for is a problem like any other.
    if (refusal === undefined) throw error
    if (refusal.code === 'invalid_client') reply.header('www-authenticate', 'Basic realm="gatehouse"')
    return reply.code(refusal.status).send({ error: refusal.code, error_description: refusal.message })
  })
  await app.register(token)
  await app.register(introspect)
  await app.register(revoke)
}

/** A request that is wrong in itself, which RFC 6749 §5.2 calls `invalid_request` whatever is wrong with it. */
const malformed: ReadonlySet<ProblemCode> = new Set([
  'validation_failed',
  'payload_too_large',
  'unsupported_media_type'
])

function toOAuthError(error: unknown, request: FastifyRequest): OAuthError | undefined {
  if (error instanceof OAuthError) return error
  const { code, status, message, faults } = toProblem(error, request)
  if (!malformed.has(code)) return undefined
  const named = faults?.map(({ path, message }) => `${path.replace(/^\/(?:body\/)?/, '')} ${message}`)
  // RFC 6749 §5.2 allows no other characters.
  const description = (named?.join('; ') ?? message).replaceAll(/[^\x20-\x7e]|["\\]/g, '?').trim()
  return new OAuthError('invalid_request', description, status)
}

import type { FastifyInstance } from 'fastify'
import { takeForms } from '../../plugins/form.ts'
import { Problem } from '../../src/errors.ts'
import { OAuthError } from '../../src/oauth/errors.ts'
import { introspect } from './introspect.ts'
import { revoke } from './revoke.ts'
import { token } from './token.ts'

/** For services: tokens by their secret, and answers about tokens. Errors are those of RFC 6749 §5.2. */
export async function oauth(app: FastifyInstance): Promise<void> {
  await takeForms(app)
  app.setErrorHandler((error, _request, reply) => {
    const refusal = toOAuthError(error)
    // What OAuth has no word for is a problem like any other.
    if (refusal === undefined) throw error
    if (refusal.code === 'invalid_client') reply.header('www-authenticate', 'Basic realm="gatehouse"')
    return reply.code(refusal.status).send({ error: refusal.code, error_description: refusal.message })
  })
  await app.register(token)
  await app.register(introspect)
  await app.register(revoke)
}

function toOAuthError(error: unknown): OAuthError | undefined {
  if (error instanceof OAuthError) return error
  if (!(error instanceof Problem) || error.faults === undefined) return undefined
  const faults = error.faults.map(({ path, message }) => `${path.replace('/body/', '')} ${message}`)
  // RFC 6749 §5.2 allows no other characters.
  return new OAuthError('invalid_request', faults.join('; ').replaceAll(/[^\x20-\x7e]|["\\]/g, '?'))
}

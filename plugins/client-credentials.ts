import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import {
  type AuthenticatedClient,
  type ClientCredentials,
  createClientAuthentication
} from '../src/factors/client-secret.ts'
import { OAuthError, twoWays } from '../src/oauth-errors.ts'
import type { Form } from './http/form.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The service whose credentials a request carries. @throws {OAuthError} `invalid_client`, `invalid_request` */
    authenticateClient: (request: FastifyRequest) => Promise<AuthenticatedClient>
  }
}

/** Authentication of services by their secret (RFC 6749 §2.3.1). */
export default fp(
  async function clientCredentials(app) {
    const authenticate = createClientAuthentication({
      db: app.database.db,
      revocations: app.revocations,
      limiter: app.limiter
    })
    app.decorate('authenticateClient', async (request) => {
      const credentials = presentedCredentials(request)
      if (credentials === undefined) throw new OAuthError('invalid_client')
      const { ip, id: requestId } = request
      return authenticate(credentials, { ip, userAgent: request.headers['user-agent'], requestId })
    })
  },
  { name: 'client-credentials', dependencies: ['database', 'limiter', 'revocations'] }
)

/** By HTTP Basic or in the form, and not by both (RFC 6749 §2.3). Another authorization scheme is ignored. */
function presentedCredentials(request: FastifyRequest): ClientCredentials | undefined {
  const { client_id: id, client_secret: secret } = request.body as Form
  const encoded = /^basic(?: +(.*))?$/is.exec(request.headers.authorization ?? '')
  if (encoded === null) return id === undefined || secret === undefined ? undefined : { id, secret }
  const credentials = readBasic(encoded[1] ?? '')
  if (secret !== undefined || (id !== undefined && id !== credentials?.id)) {
    throw new OAuthError('invalid_request', twoWays)
  }
  return credentials
}

/** RFC 6749 §2.3.1: both halves are form-urlencoded before RFC 7617 joins them. */
function readBasic(encoded: string): ClientCredentials | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return undefined
  const [, id, secret] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString()) ?? []
  if (id === undefined || secret === undefined) return undefined
  try {
    return { id: formDecode(id), secret: formDecode(secret) }
  } catch {
    return undefined
  }
}

// Ids and secrets of ours hold nothing that is encoded, and most clients encode no more than they must.
const formDecode = (text: string) => (/[%+]/.test(text) ? decodeURIComponent(text.replaceAll('+', ' ')) : text)

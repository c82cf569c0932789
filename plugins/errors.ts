import type { FastifyError, FastifyReply, FastifyRequest, FastifySchema } from 'fastify'
import fp from 'fastify-plugin'
import { isUnavailable } from '../src/database/errors.ts'
import { type Fault, type FieldFault, InvalidInput, Problem, type ProblemCode, titleOf } from '../src/errors.ts'
import { freshFor } from '../src/factors/authentication.ts'
import { headersFor } from './headers.ts'

/** Every error leaves through here, as RFC 9457 problem+json, without internals. */
export default fp(
  async function errors(app) {
    app.setErrorHandler((error, request, reply) => sendProblem(toProblem(error, request), request, reply))
    app.setNotFoundHandler((request, reply) => sendProblem(new Problem('not_found'), request, reply))
  },
  { name: 'errors' }
)

/** What the framework refuses before it has found a route, and so before any hook. */
export function refuseUnroutable(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  void sendProblem(toProblem(error, request), request, reply.headers(headersFor(request.id)))
}

const challenges: Partial<Record<ProblemCode, string>> = {
  invalid_credentials: 'Bearer',
  not_authenticated: 'Bearer',
  token_expired: 'Bearer error="invalid_token"',
  token_invalid: 'Bearer error="invalid_token"',
  refresh_token_invalid: 'Bearer error="invalid_token"',
  refresh_token_reused: 'Bearer error="invalid_token"',
  token_revoked: 'Bearer error="invalid_token"',
  reauthentication_required: `Bearer error="insufficient_user_authentication", max_age=${String(freshFor)}`,
  permission_denied: 'Bearer error="insufficient_scope"'
}

function sendProblem(problem: Problem, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (problem.code === 'internal_error') request.log.error({ err: problem.cause }, 'request failed')
  else if (problem.cause !== undefined) request.log.warn({ err: problem.cause }, problem.code)
  const challenge = challenges[problem.code]
  if (challenge !== undefined) reply.header('www-authenticate', challenge)
  if (problem.retryAfter !== undefined) reply.header('retry-after', String(problem.retryAfter))
  else if (problem.status === 503) reply.header('retry-after', '1')
  return reply
    .code(problem.status)
    .type('application/problem+json')
    .send(JSON.stringify(problemBody(problem, request.id)))
}

export function problemBody(problem: Problem, requestId: string): object {
  return {
    type: `urn:gatehouse:problem:${problem.code}`,
    title: titleOf(problem.status),
    status: problem.status,
    detail: problem.message,
    code: problem.code,
    request_id: requestId,
    ...(problem.faults !== undefined && { errors: problem.faults })
  }
}

/** Where a request has a field that the domain names: in the query string where the route takes it there, else in the body. */
export function pathsIn(schema: FastifySchema | undefined, faults: readonly FieldFault[]): Fault[] {
  const { properties = {} } = (schema?.querystring ?? {}) as { properties?: object }
  return faults.map(({ field, message }) => {
    const name = field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    return { path: `/${name in properties ? 'querystring' : 'body'}/${name}`, message }
  })
}

/** What the domain, the framework and the libraries throw, as a problem. */
export function toProblem(error: unknown, request: FastifyRequest): Problem {
  if (error instanceof Problem) return error
  if (error instanceof InvalidInput) return Problem.validation(pathsIn(request.routeOptions.schema, error.faults))
  if (isUnavailable(error)) return new Problem('unavailable', { cause: error })
  const { code, statusCode } = error as Partial<FastifyError>
  if (statusCode === 413) return new Problem('payload_too_large')
  if (statusCode === 415) return new Problem('unsupported_media_type')
  if (statusCode === 404) return new Problem('not_found')
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return Problem.validation([{ path: '/', message: explanations[code ?? ''] ?? 'is not a valid request' }])
  }
  return new Problem('internal_error', { cause: error })
}

/** Fastify's own faults with a request, in words a caller can act on; the rest are not repeated to clients. */
const explanations: Record<string, string> = {
  FST_ERR_CTP_EMPTY_JSON_BODY: 'needs a JSON body: it is empty although the content type says application/json',
  FST_ERR_CTP_INVALID_JSON_BODY: 'needs a JSON body: it cannot be parsed',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'has a content-length other than its body',
  FST_ERR_BAD_URL: 'has a path that cannot be decoded'
}

import type { Socket } from 'node:net'
import { randomUUID } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Problem, type ProblemCode, titleOf } from '../../src/errors.ts'
import { problemBody } from '../errors.ts'
import { headersFor } from '../headers.ts'

const reasons: Record<string, ProblemCode> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
  HPE_HEADER_OVERFLOW: 'headers_too_large'
}

/** Answers what never became a request, and closes the connection: there is no telling where the next would begin. */
export function refuseMalformedHttp(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy()
    return
  }
  const code = reasons[error.code ?? '']
  const problem =
    code === undefined ? Problem.validation([{ path: '/', message: 'is not well-formed HTTP' }]) : new Problem(code)
  const requestId = randomUUID()
  const body = JSON.stringify(problemBody(problem, requestId))
  const headers = {
    ...headersFor(requestId),
    'content-type': 'application/problem+json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close'
  }
  socket.end(
    [
      `HTTP/1.1 ${String(problem.status)} ${titleOf(problem.status)}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      '',
      body
    ].join('\r\n')
  )
}

/** Refuses HTTP/1.1 without a Host (RFC 9112 §3.2), as Node would if it were asked to, but in words. */
export function requireHost(request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void {
  if (request.headers.host !== undefined || request.raw.httpVersion !== '1.1') {
    done()
    return
  }
  reply.header('connection', 'close')
  done(Problem.validation([{ path: '/', message: 'needs a Host header' }]))
}

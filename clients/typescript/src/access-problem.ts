/** What each refusal says: the same as Gatehouse's own answers (RFC 9457; RFC 6750 §3 for the challenges). */
const problems = {
  not_authenticated: {
    status: 401,
    title: 'Unauthorized',
    detail: 'Could not validate credentials',
    challenge: 'Bearer'
  },
  token_expired: {
    status: 401,
    title: 'Unauthorized',
    detail: 'Token expired',
    challenge: 'Bearer error="invalid_token"'
  },
  token_invalid: {
    status: 401,
    title: 'Unauthorized',
    detail: 'Invalid token',
    challenge: 'Bearer error="invalid_token"'
  },
  permission_denied: {
    status: 403,
    title: 'Forbidden',
    detail: 'You do not have permission to perform this operation',
    challenge: 'Bearer error="insufficient_scope"'
  },
  unavailable: {
    status: 503,
    title: 'Service Unavailable',
    detail: 'The keys that verify access tokens cannot be fetched',
    challenge: undefined
  }
} as const

export type AccessProblemCode = keyof typeof problems

/** Why a caller is refused. It holds nothing of the token; its `cause` is for the log. */
export class AccessProblem extends Error {
  override readonly name = 'AccessProblem'
  readonly code: AccessProblemCode
  /** 401, 403, or 503 where the token could not be judged. */
  readonly status: 401 | 403 | 503
  /** Headers of the answer, with names in lower case. */
  readonly headers: Readonly<Record<string, string>>

  constructor(code: AccessProblemCode, { cause, retryAfter = 1 }: { cause?: unknown; retryAfter?: number } = {}) {
    const { status, detail, challenge } = problems[code]
    super(detail, { cause })
    this.code = code
    this.status = status
    this.headers = {
      'content-type': 'application/problem+json; charset=utf-8',
      'cache-control': 'no-store',
      ...(challenge === undefined ? { 'retry-after': String(retryAfter) } : { 'www-authenticate': challenge })
    }
  }

  /** The body of the answer, as JSON text. */
  toBody(requestId: string): string {
    const { status, title, detail } = problems[this.code]
    const type = `urn:gatehouse:problem:${this.code}`
    return JSON.stringify({ type, title, status, detail, code: this.code, request_id: requestId })
  }
}

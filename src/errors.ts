import { STATUS_CODES } from 'node:http'

/**
 * Every error that a client can be told of: one row a `code`.
 * The body is RFC 9457 problem+json; `detail` keeps the tutorial's wording where the tutorial has one.
 */
export const problems = {
  validation_failed: { status: 400, detail: 'The request is not valid' },
  invalid_credentials: { status: 401, detail: 'Incorrect username or password' },
  not_authenticated: { status: 401, detail: 'Could not validate credentials' },
  token_expired: { status: 401, detail: 'Token expired' },
  token_invalid: { status: 401, detail: 'Invalid token' },
  token_revoked: { status: 401, detail: 'Token revoked' },
  refresh_token_invalid: { status: 401, detail: 'Invalid refresh token' },
  refresh_token_reused: { status: 401, detail: 'Refresh token reused' },
  reauthentication_required: { status: 401, detail: 'Confirm who you are to do this' },
  permission_denied: { status: 403, detail: 'You do not have permission to perform this operation' },
  cross_origin_refused: { status: 403, detail: 'Cross-origin request refused' },
  not_found: { status: 404, detail: 'Not found' },
  method_not_allowed: { status: 405, detail: 'The path takes other methods: see Allow' },
  request_timeout: { status: 408, detail: 'The request took too long to arrive' },
  username_taken: { status: 409, detail: 'User with this username already registered' },
  email_taken: { status: 409, detail: 'User with this email already registered' },
  last_admin: { status: 409, detail: 'The last administrator cannot be removed' },
  too_many_secrets: { status: 409, detail: 'A client has at most two secrets: delete one of them first' },
  payload_too_large: { status: 413, detail: 'The request body is larger than 16 KiB' },
  unsupported_media_type: {
    status: 415,
    detail:
      'Send the body as application/json (to /oauth/* as application/x-www-form-urlencoded) in UTF-8, without a content encoding'
  },
  rate_limited: { status: 429, detail: 'Too many attempts' },
  headers_too_large: { status: 431, detail: 'The request headers are too large' },
  internal_error: { status: 500, detail: 'Something went wrong on our side' },
  overloaded: { status: 503, detail: 'The service is busy' },
  unavailable: { status: 503, detail: 'The database is unavailable' }
} as const satisfies Record<string, { status: number; detail: string }>

export type ProblemCode = keyof typeof problems

/** The reason phrase of a status, by RFC 9110, where Node has an older one. */
export const titleOf = (status: number): string => (status === 413 ? 'Content Too Large' : (STATUS_CODES[status] ?? ''))

/** One failed rule of a validation: a JSON path such as `/body/email`, and what to change. */
export interface Fault {
  path: string
  message: string
}

/** An outcome that the client is told of, by its `code`. Whatever is thrown and is not a Problem is a 500. */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly status: number
  readonly faults: Fault[] | undefined
  /** Seconds after which the same request may succeed. */
  readonly retryAfter: number | undefined

  constructor(
    code: ProblemCode,
    options: { detail?: string; faults?: Fault[]; retryAfter?: number; cause?: unknown } = {}
  ) {
    super(options.detail ?? problems[code].detail, { cause: options.cause })
    this.code = code
    this.status = problems[code].status
    this.faults = options.faults
    this.retryAfter = options.retryAfter
  }

  /**
   * A refusal of input: `detail` names the faults, so that it can be acted on without reading `errors`. How many there can
   * be is up to the client, and so no more are named than somebody reads.
   */
  static validation(faults: Fault[]): Problem {
    const named = faults.slice(0, maxInDetail).map((fault) => `${fault.path} ${fault.message}`)
    const more = faults.length - named.length
    const detail = [...named, ...(more > 0 ? [`and ${String(more)} more`] : [])].join('; ')
    return new Problem('validation_failed', { detail, faults: faults.slice(0, maxFaults) })
  }
}

const maxInDetail = 5
const maxFaults = 20

/** A field that was refused, by the name that the domain has for it, and what to change. */
export interface FieldFault {
  field: string
  message: string
}

/** A refusal of input for its meaning. Callers put it in their own terms: see `toProblem` in plugins/errors.ts. */
export class InvalidInput extends Error {
  readonly faults: readonly FieldFault[]

  constructor(...faults: FieldFault[]) {
    super(faults.map(({ field, message }) => `${field} ${message}`).join('; '))
    this.faults = faults
  }
}

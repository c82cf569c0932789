/** What programs can tell the failures of commands apart by, beside the codes of src/errors.ts that operations have. */
export const failureCodes = [
  'usage',
  'refused',
  'not_found',
  'cancelled',
  'settings_invalid',
  'keys_unusable',
  'database_missing',
  'database_unusable',
  'database_unavailable',
  'database_refused',
  'database_permission_denied',
  'address_unavailable',
  'file_unavailable',
  'internal_error'
] as const

export type FailureCode = (typeof failureCodes)[number]

/** A command that cannot do what it was asked; the message says what to do instead. */
export class CommandError extends Error {
  readonly code: FailureCode

  constructor(message: string, code: FailureCode = 'refused') {
    super(message)
    this.code = code
  }
}

/** Every error of RFC 6749 §5.2, and of RFC 6750 §3.1, that this service answers: its status, and what it says unless more is known. */
export const oauthErrors = {
  invalid_request: { status: 400, description: 'The request is not valid' },
  invalid_client: { status: 401, description: 'Client authentication failed' },
  invalid_scope: { status: 400, description: 'The client does not have the roles or scopes that it asks for' },
  insufficient_scope: { status: 403, description: 'The client does not have the scope that this needs' },
  unsupported_grant_type: { status: 400, description: 'The grant type must be client_credentials' }
} as const satisfies Record<string, { status: number; description: string }>

export type OAuthErrorCode = keyof typeof oauthErrors

export const oauthErrorCodes = Object.keys(oauthErrors) as OAuthErrorCode[]

/** What no schema can tell, and any request by a service's secret is refused for. */
export const twoWays = 'The client authenticates in two ways: use one of them'
export const repeated = 'A parameter is repeated'

/** What a client of the OAuth endpoints is told of, instead of a Problem. */
export class OAuthError extends Error {
  readonly code: OAuthErrorCode
  readonly status: number

  constructor(
    code: OAuthErrorCode,
    description: string = oauthErrors[code].description,
    status: number = oauthErrors[code].status
  ) {
    super(description)
    this.code = code
    this.status = status
  }
}

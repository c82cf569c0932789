import { Type } from '@sinclair/typebox'
import { toClaim, mapRoles } from '../../src/roles.ts'
import { problems } from '../../src/errors.ts'
import { oauthErrorCodes, oauthErrors, repeated, twoWays, type OAuthErrorCode } from '../../src/oauth-errors.ts'
import { Int32, Int64, ok } from '../schemas.ts'

// Forms may hold parameters that we do not know, which are ignored (RFC 6749 §3.2).
const credentials = {
  client_id: Type.Optional(Type.String({ description: 'With `client_secret`, instead of HTTP Basic' })),
  client_secret: Type.Optional(Type.String({ description: 'With `client_id`, instead of HTTP Basic' }))
}
const hint = Type.Optional(Type.String({ description: 'Ignored: tokens identify their own type' }))
const Seconds = (description: string) => Int64({ description: `${description}, in seconds since the epoch` })

export const ClientTokenRequest = Type.Object(
  {
    grant_type: Type.String({ minLength: 1, description: '`client_credentials`', examples: ['client_credentials'] }),
    scope: Type.Optional(
      Type.String({
        description: 'Roles and scopes of the client, separated by blanks; all that it has unless named',
        examples: ['reader author']
      })
    ),
    ...credentials
  },
  { $id: 'ClientTokenRequest' }
)

export const ClientToken = Type.Object(
  {
    access_token: Type.String({ description: 'A JWT (RFC 9068)' }),
    token_type: Type.Literal('Bearer'),
    expires_in: Int32({ description: 'Seconds' }),
    scope: Type.Optional(
      Type.String({ description: 'The roles and scopes that it carries; absent where there are none' })
    )
  },
  { $id: 'ClientToken' }
)

export const IntrospectionRequest = Type.Object(
  {
    token: Type.String({ minLength: 1, description: 'An access token, of a user or of a service' }),
    token_type_hint: hint,
    ...credentials
  },
  { $id: 'IntrospectionRequest' }
)

export const Introspection = Type.Object(
  {
    active: Type.Boolean({ description: 'Whether the token is valid; all other members are absent if not' }),
    scope: Type.Optional(
      Type.String({ description: 'The roles and scopes, separated by blanks; absent where there are none' })
    ),
    client_id: Type.Optional(
      Type.String({ description: "The client that asked for the token; for the service's own login its audience" })
    ),
    username: Type.Optional(Type.String({ description: 'Of a token of a user' })),
    token_type: Type.Optional(Type.Literal('Bearer')),
    exp: Type.Optional(Seconds('Expiry')),
    iat: Type.Optional(Seconds('Time of issue')),
    sub: Type.Optional(Type.String({ description: "A user's id, or `client:` and a service's" })),
    aud: Type.Optional(Type.String()),
    iss: Type.Optional(Type.String()),
    jti: Type.Optional(Type.String()),
    sid: Type.Optional(Type.String({ description: "The session of a user's token" })),
    auth_time: Type.Optional(Seconds('When the user last authenticated')),
    amr: Type.Optional(Type.Array(Type.String(), { description: 'The authentication methods (RFC 8176)' })),
    acr: Type.Optional(Type.String({ description: '`2` where a second factor or a passkey was among it, else `1`' })),
    ...mapRoles(toClaim, () => Type.Optional(Type.Boolean()))
  },
  { $id: 'Introspection' }
)

export const RevocationRequest = Type.Object(
  {
    token: Type.String({
      minLength: 1,
      description: 'An access token of the client itself; other tokens are left alone'
    }),
    token_type_hint: hint,
    ...credentials
  },
  { $id: 'RevocationRequest' }
)

export const OAuthErrorBody = Type.Object(
  { error: Type.Unsafe<OAuthErrorCode>({ type: 'string', enum: oauthErrorCodes }), error_description: Type.String() },
  { $id: 'OAuthError', description: 'RFC 6749 §5.2' }
)

const describe = (code: OAuthErrorCode) => `\`${code}\`: ${oauthErrors[code].description}`

/** The answer to a request that the schema may well allow. */
export function refusedFor(...codes: OAuthErrorCode[]) {
  const untold = [twoWays, repeated].map((rule) => `\`invalid_request\`: ${rule}`)
  return ok(OAuthErrorBody, [...codes.map(describe), ...untold].join('\n\n'))
}

/** What every operation by a service's secret may answer. */
export const refusals = {
  400: refusedFor('invalid_request'),
  401: ok(OAuthErrorBody, '`invalid_client`: no such client, another secret, or the client is disabled'),
  413: ok(OAuthErrorBody, `\`invalid_request\`: ${problems.payload_too_large.detail}`),
  415: ok(OAuthErrorBody, `\`invalid_request\`: ${problems.unsupported_media_type.detail}`)
}

export const formOnly = ['application/x-www-form-urlencoded']

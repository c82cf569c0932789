import { type IntegerOptions, type Static, type TSchema, Type } from '@sinclair/typebox'
import { patterns } from '../plugins/http/patterns.ts'
import { problems } from '../src/errors.ts'
import { maxInteger } from '../src/ids.ts'
import { toClaim, mapRoles } from '../src/roles.ts'

interface TextOptions {
  minLength?: number
  maxLength: number
  description?: string
  examples?: string[]
  /** The form of Unicode in which it is meant, and in which its length is counted. */
  'x-normalization'?: 'NFC'
}

/** A string that people type: well-formed Unicode without control characters. */
export const Text = (options: TextOptions) => Type.String({ format: 'text', pattern: patterns.text, ...options })

/** A schema by its name, so that the OpenAPI document holds it once. */
export const ref = <T extends TSchema>(schema: T) => Type.Unsafe<Static<T>>({ $ref: `${schema.$id ?? ''}#` })

export const strict = { additionalProperties: false }
export const Nullable = <T extends TSchema>(schema: T) =>
  Type.Unsafe<Static<T> | null>({ ...schema, type: [schema.type as string, 'null'] })

/** What generators may take for 32 bits, as many do with an integer that says nothing of its size. */
export const Int32 = (options: IntegerOptions = {}) => Type.Integer({ maximum: maxInteger, ...options })

/** What grows beyond 32 bits: a time in seconds does so in 2038. */
export const Int64 = (options: IntegerOptions = {}) => Type.Integer({ format: 'int64', ...options })

export const UserId = Int32({ minimum: 1 })

/** The name of a new user. */
export const Username = Type.String({
  'x-normalization': 'NFKC',
  minLength: 3,
  maxLength: 32,
  pattern: patterns.username,
  description: 'Latin letters and digits, between them also `.`, `_` and `-`, after NFKC; unique in any case',
  examples: ['alice']
})

/** Its format allows quotes and addresses of hosts, too, which few mail servers take: the pattern does not. */
export const Email = Type.String({
  format: 'email',
  maxLength: 254,
  pattern: patterns.email,
  examples: ['alice@example.com']
})
export const Name = Nullable(Text({ maxLength: 100 }))
export const Timestamp = Type.Unsafe<string | Date>(Type.String({ format: 'date-time' }))

export const UserResponse = Type.Object(
  {
    id: UserId,
    username: Type.String(),
    first_name: Nullable(Type.String()),
    second_name: Nullable(Type.String()),
    email: Type.String(),
    email_verified: Type.Boolean(),
    pending_email: Nullable(Type.String({ description: 'The new address, until its mailed link is followed' })),
    ...mapRoles(toClaim, () => Type.Boolean()),
    created_at: Timestamp,
    updated_at: Timestamp
  },
  { $id: 'UserResponse' }
)

export const Token = Type.Object(
  {
    access_token: Type.String({ description: 'A JWT (RFC 9068)' }),
    token_type: Type.Literal('Bearer'),
    expires_in: Int32({ description: 'Seconds' }),
    refresh_token: Type.Optional(Type.String({ description: 'Opaque; with transport `bearer` alone' })),
    refresh_expires_in: Type.Optional(Int32({ description: 'Seconds' }))
  },
  { $id: 'Token' }
)

export const Session = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    created_at: Timestamp,
    last_used_at: Timestamp,
    expires_at: Type.Unsafe<string | Date>({ ...Timestamp, description: 'Without another refresh' }),
    ip: Nullable(Type.String()),
    user_agent: Nullable(Type.String()),
    current: Type.Boolean({ description: 'Whether it is the session of this request' })
  },
  { $id: 'Session' }
)

export const SessionList = Type.Object({ items: Type.Array(ref(Session)) }, { $id: 'SessionList' })

export const AuditEvent = Type.Object(
  {
    id: Int64(),
    type: Type.String({ examples: ['user.roles_changed'] }),
    actor_id: Nullable(Int32({ description: 'The user who caused it' })),
    actor_client_id: Nullable(Type.String({ description: 'The service that caused it' })),
    user_id: Nullable(Int32({ description: 'The user it concerns' })),
    ip: Nullable(Type.String()),
    user_agent: Nullable(Type.String()),
    request_id: Nullable(Type.String()),
    details: Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true }),
    created_at: Timestamp
  },
  { $id: 'AuditEvent' }
)

export const UserExport = Type.Object(
  {
    user: ref(UserResponse),
    sessions: SessionList.properties.items,
    audit_events: Type.Array(ref(AuditEvent)),
    is_complete: Type.Boolean({ description: 'False where only the newest 10,000 events are here' })
  },
  { $id: 'UserExport' }
)

export const Message = Type.Object({ message: Type.String() }, { $id: 'Message' })

export const Fault = Type.Object(
  { path: Type.String({ examples: ['/body/email'] }), message: Type.String({ examples: ['must be a valid email'] }) },
  { $id: 'Fault', description: 'One failed rule of a validation' }
)

export const ProblemDetails = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Int32(),
    detail: Type.String(),
    code: Type.Unsafe<keyof typeof problems>({ type: 'string', enum: Object.keys(problems) }),
    request_id: Type.String(),
    errors: Type.Optional(Type.Array(ref(Fault)))
  },
  { $id: 'Problem', description: 'RFC 9457 problem details' }
)

/** A successful answer without a body. */
export const noContent = (description: string) => Type.Null({ description })

/** The answer to what is done later: without a body, which `send(null)` would fill with "null". */
export const accepted = (description: string) => Type.Unsafe<undefined>({ type: 'null', description })

/** A successful answer with the given body. */
export const ok = <T extends TSchema>(schema: T, description: string) =>
  Type.Unsafe<Static<T>>({ description, ...ref(schema) })

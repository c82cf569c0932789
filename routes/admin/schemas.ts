import { type TSchema, Type } from '@sinclair/typebox'
import { advice, patterns } from '../../plugins/http/patterns.ts'
import { type FieldFault, InvalidInput } from '../../src/errors.ts'
import { toClaim, isDefaultRole, mapRoles, type Role, roles } from '../../src/roles.ts'
import {
  AuditEvent,
  Email,
  Int64,
  Name,
  Nullable,
  ref,
  strict,
  Timestamp,
  UserId,
  Username,
  UserResponse
} from '../schemas.ts'

export const AdminUserResponse = Type.Object(
  { ...UserResponse.properties, is_disabled: Type.Boolean(), last_login_at: Nullable(Timestamp) },
  { $id: 'AdminUserResponse' }
)

const NextCursor = Nullable(Type.String({ description: 'The `cursor` of the next page; null on the last page' }))

export const PageOf = <T extends TSchema>(item: T, $id: string) =>
  Type.Object({ items: Type.Array(ref(item)), next_cursor: NextCursor }, { $id })

export const AdminUserList = PageOf(AdminUserResponse, 'AdminUserList')

const Flag = Type.Optional(Type.Boolean())

export const InviteUser = Type.Object(
  {
    username: Username,
    email: Email,
    first_name: Type.Optional(Name),
    second_name: Type.Optional(Name),
    ...mapRoles(toClaim, (role) => (isDefaultRole(role) ? Type.Optional(Type.Boolean({ default: true })) : Flag))
  },
  { $id: 'InviteUser', ...strict }
)

export const AdminUpdateUser = Type.Object(
  {
    first_name: Type.Optional(Name),
    second_name: Type.Optional(Name),
    email: Type.Optional(Email),
    ...mapRoles(toClaim, () => Flag),
    is_disabled: Flag
  },
  { $id: 'AdminUpdateUser', description: 'What is absent stays as it is; null clears a name.', ...strict }
)

export const RoleName = Type.Unsafe<Role>({ type: 'string', enum: [...roles] })
export const UserParams = Type.Object({ id: UserId })
/** The query of every list that comes in pages. */
export const paging = {
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 50 }),
  cursor: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 512,
      pattern: patterns.token,
      description: 'The `next_cursor` of the page before, with the same filters and order'
    })
  )
}
export const Instant = (description: string) =>
  Type.String({ format: 'date-time', pattern: patterns.instant, description })

export const RevokeSessions = Type.Object(
  {
    user_ids: Type.Optional(Type.Array(UserId, { minItems: 1, maxItems: 1000 })),
    role: Type.Optional(RoleName),
    created_before: Type.Optional(Instant('Sessions that began before this time')),
    all: Type.Optional(Type.Literal(true, { description: 'Every session; without any other condition' })),
    dry_run: Type.Optional(Type.Boolean({ description: 'Only count the sessions' }))
  },
  {
    $id: 'RevokeSessions',
    description: 'A session must match every condition that is given. At least one is required; `all` stands alone.',
    ...strict
  }
)

export const Revoked = Type.Object({ revoked: Int64() }, { $id: 'Revoked' })

export const AuditEventList = PageOf(AuditEvent, 'AuditEventList')

/**
 * A moment that a client names.
 * @throws {InvalidInput} for one that the calendar or the database does not have
 */
export function instantIn(field: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined
  const instant = new Date(text)
  const year = instant.getUTCFullYear()
  if (year >= 1 && year <= 9999) return instant
  throw new InvalidInput(instantFault(field))
}

export const instantFault = (field: string): FieldFault => ({ field, message: advice[patterns.instant] ?? '' })

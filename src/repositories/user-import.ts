import { sql } from 'drizzle-orm'
import { union } from 'drizzle-orm/pg-core'
import type { AuditEventType } from './audit-events.ts'
import type { Db } from '../database/database.ts'
import { users } from '../database/schema/index.ts'
import { toClaim, toColumn, type Role, type RoleColumns, roles } from '../roles.ts'

/** What identifies a user. */
export type Identifiers = Pick<ImportedUser, 'id' | 'usernameKey' | 'emailKey'>

/** Users who already have a name, an address or an id of the given ones. */
export async function findDuplicates(db: Db, wanted: ImportedUser[]): Promise<Identifiers[]> {
  const identifiers = { id: users.id, usernameKey: users.usernameKey, emailKey: users.emailKey }
  const list = sql`${JSON.stringify(wanted.map(({ id, usernameKey, emailKey }) => ({ id, usernameKey, emailKey })))}::jsonb`
  const asked = sql`jsonb_to_recordset(${list}) as asked (id integer, "usernameKey" text, "emailKey" text)`
  // One after the other, so that each goes by its index.
  return union(
    db
      .select(identifiers)
      .from(users)
      .innerJoin(asked, sql`${users.usernameKey} = asked."usernameKey"`),
    db
      .select(identifiers)
      .from(users)
      .innerJoin(asked, sql`${users.emailKey} = asked."emailKey"`),
    db
      .select(identifiers)
      .from(users)
      .innerJoin(asked, sql`${users.id} = asked.id`)
  )
}

/**
 * Inserts those whose name, address and id are free, each with its event, in one statement and one parameter: with a
 * parameter a value, making the statement takes longer than running it.
 * @returns the `usernameKey` of each who was inserted
 */
export async function insertImported(db: Db, wanted: ImportedUser[]): Promise<Set<string>> {
  const type: AuditEventType = 'user.imported'
  const imported = db.$with('imported', { usernameKey: sql<string>`username_key`.as('username_key') }).as(sql`
    insert into users (
      id, username, username_key, email, email_key, email_verified, first_name, second_name, password,
      ${roleNames}, is_disabled, created_at, updated_at
    ) overriding system value
    select
      coalesce(id, nextval('users_id_seq')), username, "usernameKey", email, "emailKey", "emailVerified", "firstName",
      "secondName", "passwordHash", ${quotedRoleColumns}, "isDisabled",
      coalesce("createdAt", now()), coalesce("updatedAt", now())
    from jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb) as wanted (
      id integer, username text, "usernameKey" text, email text, "emailKey" text, "emailVerified" boolean,
      "firstName" text, "secondName" text, "passwordHash" text, ${typedRoleColumns}, "isDisabled" boolean, "createdAt" timestamptz, "updatedAt" timestamptz
    )
    on conflict do nothing
    returning id, username_key, ${roleNames}`)
  const recorded = db.$with('recorded', { id: sql<number>`id`.as('id') }).as(sql`
    insert into audit_events (type, user_id, details)
    select ${type}::text, id, jsonb_build_object('roles', array_remove(array[${rolesHeld}], null))
    from imported
    returning id`)
  const rows = await db.with(imported, recorded).select({ usernameKey: imported.usernameKey }).from(imported)
  return new Set(rows.map(({ usernameKey }) => usernameKey))
}

/** Lets the ids of users who come later begin after `id`. Before the users with such ids come, so that nobody takes theirs. */
export async function reserveIds(db: Db, id: number): Promise<void> {
  await db.execute(
    sql`select setval('users_id_seq', ${id}::bigint) from users_id_seq where last_value <= ${id}::bigint`
  )
}

/** A user who is to be inserted. Without an id or a time, the database assigns them. */
export interface ImportedUser extends RoleColumns {
  id: number | undefined
  username: string
  usernameKey: string
  email: string
  emailKey: string
  emailVerified: boolean
  firstName: string | null
  secondName: string | null
  passwordHash: string | null
  isDisabled: boolean
  createdAt: Date | undefined
  updatedAt: Date | undefined
}

const each = (write: (role: Role) => string) => sql.raw(roles.map(write).join(', '))

// Of the role columns: their names in the table, and in the JSON as rows have them.
const roleNames = each(toClaim)
const quotedRoleColumns = each((role) => `"${toColumn(role)}"`)
const typedRoleColumns = each((role) => `"${toColumn(role)}" boolean`)
const rolesHeld = each((role) => `case when ${toClaim(role)} then '${role}' end`)

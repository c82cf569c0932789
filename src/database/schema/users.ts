import { sql } from 'drizzle-orm'
import { boolean, customType, index, integer, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { toColumn, isDefaultRole, roles } from '../../roles.ts'
import { instant } from './instant.ts'
import { userRoles } from './roles.ts'

/** Text in the order of its bytes, whatever the database's locale: an index on it finds what begins with a prefix. */
const key = customType<{ data: string }>({ dataType: () => 'text collate "C"' })

/** The tutorial's table, with what a service needs beside it. `password` holds the hash, as it does there. */
export const users = pgTable(
  'users',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    username: text().notNull(),
    /** The username in lower case: one account a name, however it is typed. */
    usernameKey: key('username_key').notNull(),
    firstName: text('first_name'),
    secondName: text('second_name'),
    email: text().notNull(),
    /** The e-mail address in lower case. */
    emailKey: key('email_key').notNull(),
    emailVerified: boolean('email_verified').notNull().default(false),
    /** The address that the user wants to change to, until its link is followed. Not unique: others may want it too. */
    pendingEmail: text('pending_email'),
    pendingEmailKey: key('pending_email_key'),
    /** Null until an invited user has set a password. */
    passwordHash: text('password'),
    /** Counts the passwords: what was begun with an older one does not go through. */
    passwordVersion: integer('password_version').notNull().default(1),
    ...userRoles,
    isDisabled: boolean('is_disabled').notNull().default(false),
    /** Counts the changes that make older access tokens void: roles, disabling. */
    version: integer().notNull().default(1),
    lastLoginAt: instant('last_login_at'),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow()
  },
  (table) => [
    uniqueIndex('users_username_key').on(table.usernameKey),
    uniqueIndex('users_email_key').on(table.emailKey),
    index('users_created_at_id').on(table.createdAt, table.id),
    // Accounts that expire unless their address is verified.
    index('users_unverified')
      .on(table.createdAt)
      .where(sql`not ${table.emailVerified}`),
    // What few users are, so that they are found among many. Queries name the column without a parameter.
    ...roles
      .filter((role) => !isDefaultRole(role))
      .map((role) =>
        index(`users_${role}s`)
          .on(table.createdAt, table.id)
          .where(sql`${table[toColumn(role)]}`)
      ),
    index('users_disabled')
      .on(table.createdAt, table.id)
      .where(sql`${table.isDisabled}`)
  ]
)

import { boolean, integer, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { instant } from './instant.ts'

/** The tutorial's table, with what a service needs beside it. `password` holds the hash, as it does there. */
export const users = pgTable(
  'users',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    username: text().notNull(),
    /** The username in lower case: one account a name, however it is typed. */
    usernameKey: text('username_key').notNull(),
    firstName: text('first_name'),
    secondName: text('second_name'),
    email: text().notNull(),
    /** The e-mail address in lower case. */
    emailKey: text('email_key').notNull(),
    emailVerified: boolean('email_verified').notNull().default(false),
    /** Null until an invited user has set a password. */
    passwordHash: text('password'),
    /** Counts the passwords: what was begun with an older one does not go through. */
    passwordVersion: integer('password_version').notNull().default(1),
    isReader: boolean('is_reader').notNull().default(true),
    isAuthor: boolean('is_author').notNull().default(false),
    isAdmin: boolean('is_admin').notNull().default(false),
    isDisabled: boolean('is_disabled').notNull().default(false),
    /** Counts the changes that make older access tokens void: roles, disabling. */
    version: integer().notNull().default(1),
    lastLoginAt: instant('last_login_at'),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow()
  },
  (table) => [
    uniqueIndex('users_username_key').on(table.usernameKey),
    uniqueIndex('users_email_key').on(table.emailKey)
  ]
)

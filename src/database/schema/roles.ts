import { boolean } from 'drizzle-orm/pg-core'
import { toClaim, toColumn, isDefaultRole, mapRoles } from '../../roles.ts'

const flag = (name: string, value: boolean) => boolean(name).notNull().default(value)

/** A column for each role, as the tutorial has them. */
export const userRoles = mapRoles(toColumn, (role) => flag(toClaim(role), isDefaultRole(role)))

/** A client has no role unless it is given one. */
export const clientRoles = mapRoles(toColumn, (role) => flag(toClaim(role), false))

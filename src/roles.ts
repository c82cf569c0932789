/**
 * The roles of the tutorial. They are independent: an admin who is no author does not pass as one. All that depends on the
 * list is derived from it: columns, claims, schemas, filters and routes. A new role needs a line here and a migration.
 */
const definitions = {
  /** What every new user is. */
  reader: { isDefault: true },
  author: { isDefault: false },
  admin: { isDefault: false }
} as const satisfies Record<string, { isDefault: boolean }>

export type Role = keyof typeof definitions

export const roles = Object.keys(definitions) as Role[]

/** Whether new users have the role. Nearly every user has it, so that no index helps to find them. */
export const isDefaultRole = (role: Role): boolean => definitions[role].isDefault

/** A role's flag in tokens, answers and tables. */
export type RoleClaim = `is_${Role}`
export type RoleClaims = Record<RoleClaim, boolean>
export const toClaim = (role: Role): RoleClaim => `is_${role}`

/** The flags of all roles. */
export const roleClaims: readonly RoleClaim[] = roles.map(toClaim)

/** A role's flag in rows. */
export type RoleColumn = `is${Capitalize<Role>}`
export type RoleColumns = Record<RoleColumn, boolean>
export const toColumn = (role: Role): RoleColumn => `is${role[0]?.toUpperCase() ?? ''}${role.slice(1)}` as RoleColumn

/** A value for each role, under the name that `key` gives it. */
export const mapRoles = <K extends string, V>(key: (role: Role) => K, value: (role: Role) => V): Record<K, V> =>
  Object.fromEntries(roles.map((role) => [key(role), value(role)])) as Record<K, V>

export const defaultRoles: RoleColumns = mapRoles(toColumn, isDefaultRole)

/** The roles whose flags are set. */
export const listRoles = (row: Partial<RoleColumns>): Role[] => roles.filter((role) => row[toColumn(role)] === true)

export const rolesInClaims = (claims: RoleClaims): Role[] => roles.filter((role) => claims[toClaim(role)])

export const columnsFor = (held: Iterable<Role>): RoleColumns => {
  const set = new Set(held)
  return mapRoles(toColumn, (role) => set.has(role))
}

export const claimsFor = (held: Iterable<Role>): RoleClaims => {
  const set = new Set(held)
  return mapRoles(toClaim, (role) => set.has(role))
}

/** The role flags of a change: those that it names. */
export const namedColumns = (change: Partial<RoleColumns>): Partial<RoleColumns> =>
  Object.fromEntries(
    roles.map(toColumn).flatMap((column) => (change[column] === undefined ? [] : [[column, change[column]]]))
  )

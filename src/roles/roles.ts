/** The three roles of the tutorial. They are independent: an admin who is no author does not pass as one. */
export const roles = ['reader', 'author', 'admin'] as const

export type Role = (typeof roles)[number]

/** Roles as the users table and the token's claims hold them. */
export interface RoleFlags {
  is_reader: boolean
  is_author: boolean
  is_admin: boolean
}

export const hasRole = (flags: RoleFlags, role: Role): boolean => flags[`is_${role}`]

export const rolesOf = (flags: RoleFlags): Role[] => roles.filter((role) => hasRole(flags, role))

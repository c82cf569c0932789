/** The three roles of the tutorial. They are independent: an admin who is no author does not pass as one. */
export const roles = ['reader', 'author', 'admin'] as const

export type Role = (typeof roles)[number]

/** Roles as answers and the token's claims hold them. */
export interface RoleFlags {
  is_reader: boolean
  is_author: boolean
  is_admin: boolean
}

/** Roles as the rows of users and clients hold them. */
export interface RoleColumns {
  isReader: boolean
  isAuthor: boolean
  isAdmin: boolean
}

export const hasRole = (flags: RoleFlags, role: Role): boolean => flags[`is_${role}`]

export const rolesOf = (flags: RoleFlags): Role[] => roles.filter((role) => hasRole(flags, role))

export const flagsOf = ({ isReader, isAuthor, isAdmin }: RoleColumns): RoleFlags => ({
  is_reader: isReader,
  is_author: isAuthor,
  is_admin: isAdmin
})

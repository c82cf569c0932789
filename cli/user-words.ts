import type { UserRow } from '../src/repositories/users.ts'
import { listRoles } from '../src/roles.ts'

export const inWords = (user: UserRow) =>
  `${user.username} <${user.email}>, ${listRoles(user).join(' and ') || 'without a role'}`

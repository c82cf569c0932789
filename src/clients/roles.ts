import type { RoleFlags } from '../roles/roles.ts'
import type { ClientRow } from './queries.ts'

export const flagsOf = (client: Pick<ClientRow, 'isReader' | 'isAuthor' | 'isAdmin'>): RoleFlags => ({
  is_reader: client.isReader,
  is_author: client.isAuthor,
  is_admin: client.isAdmin
})

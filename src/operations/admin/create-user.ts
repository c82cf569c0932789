import type { Mechanisms } from '../../mechanisms.ts'
import type { Origin } from '../../origin.ts'
import { checkPassword } from '../../passwords/policy.ts'
import { refuseTakenNames } from '../../repositories/user-names.ts'
import type { UserRow } from '../../repositories/users.ts'
import { columnsFor, type Role } from '../../roles.ts'
import { createUser, newUserRow, type Registration } from '../../users/creation.ts'

/**
 * Creates a user on behalf of an operator, who also vouches for the address.
 * @throws {InvalidInput}
 * @throws {Problem} `username_taken`, `email_taken`, `overloaded`
 */
export const createUserWithPassword =
  ({ db, passwords, passwordPolicy }: Mechanisms) =>
  async ({ password, ...names }: Registration, origin: Origin, roles: Role[]): Promise<UserRow> => {
    const unhashed = newUserRow({ ...names, ...columnsFor(roles), emailVerified: true })
    await checkPassword(password, unhashed, passwordPolicy)
    const row = { ...unhashed, passwordHash: await passwords.hash(password) }
    return refuseTakenNames(db.transaction((tx) => createUser(tx, row, 'user.registered', origin)))
  }

import type { Identifiers, ImportedUser } from '../../repositories/user-import.ts'

export type Verdict = 'free' | 'already there' | { fault: string }

/** Who has which name, address and id: those in the database, and those on the lines before. */
export function createDuplicateCheck() {
  const names = new Map<string, Identifiers>()
  const emails = new Map<string, Identifiers>()
  const ids = new Map<number, Identifiers>()

  return {
    add(user: Identifiers): void {
      names.set(user.usernameKey, user)
      emails.set(user.emailKey, user)
      if (user.id !== undefined) ids.set(user.id, user)
    },

    check({ id, username, usernameKey, email, emailKey }: ImportedUser): Verdict {
      const byName = names.get(usernameKey)
      const byEmail = emails.get(emailKey)
      const byId = id === undefined ? undefined : ids.get(id)
      if (byName !== undefined && byName === byEmail) {
        if (id === undefined || byName.id === undefined || id === byName.id) return 'already there'
        return { fault: `id is ${String(id)}, but ${username} is there with the id ${String(byName.id)}` }
      }
      if (byName !== undefined) return { fault: `username ${username} belongs to a user with another email` }
      if (byEmail !== undefined) return { fault: `email ${email} belongs to a user with another username` }
      if (byId !== undefined)
        return { fault: `id ${String(id)} belongs to another user: leave it out to have a new one` }
      return 'free'
    }
  }
}

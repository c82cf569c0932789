import type { Holder, NewUserRow } from '../../repositories/user-import.ts'

export type Verdict = 'free' | 'already there' | { fault: string }

/** Who has which name, address and id: those in the database, and those on the lines before. */
export function createHolders() {
  const names = new Map<string, Holder>()
  const emails = new Map<string, Holder>()
  const ids = new Map<number, Holder>()

  return {
    add(holder: Holder): void {
      names.set(holder.usernameKey, holder)
      emails.set(holder.emailKey, holder)
      if (holder.id !== undefined) ids.set(holder.id, holder)
    },

    judge({ id, username, usernameKey, email, emailKey }: NewUserRow): Verdict {
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

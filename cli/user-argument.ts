import { Argument } from 'commander'
import { maxInteger } from '../src/ids.ts'
import type { UserRow } from '../src/repositories/users.ts'
import type { Services } from '../src/services.ts'
import { CommandError } from './command-error.ts'
import { withServices } from './settings.ts'

/** How every command names a user. A username may be all digits, so that an id is marked as one. */
export const userArgument = () => new Argument('<user>', 'username, e-mail address, or id:NUMBER')

/** Runs the operations on the user who is named. */
export const onUser = <T>(
  env: NodeJS.ProcessEnv,
  named: string,
  work: (services: Services, user: UserRow) => Promise<T>
): Promise<T> => withServices(env, async (services) => work(services, await findUser(services, named)))

/** @throws {CommandError} unless there is such a user */
export async function findUser({ getUser, getUserByLogin }: Services, named: string): Promise<UserRow> {
  const { Problem } = await import('../src/errors.ts')
  const [, id] = /^id:(\d+)$/.exec(named) ?? []
  const hint = /^\d+$/.test(named) ? `: an id is written id:${named}` : ''
  const unknown = new CommandError(`There is no user ${named || '""'}${hint}`, 'not_found')
  if (Number(id) > maxInteger) throw unknown
  const found = id === undefined ? getUserByLogin(named) : getUser(Number(id))
  return found.catch((error: unknown) => {
    throw error instanceof Problem && error.code === 'not_found' ? unknown : error
  })
}

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
): Promise<T> =>
  withServices(env, async (services) => {
    const user = await findUser(services, named)
    // They may be deleted meanwhile.
    return orUnknown(named, work(services, user))
  })

/** @throws {CommandError} unless there is such a user */
export async function findUser({ getUser, getUserByLogin }: Services, named: string): Promise<UserRow> {
  const [, id] = /^id:(\d+)$/.exec(named) ?? []
  if (Number(id) > maxInteger) throw unknown(named)
  return orUnknown(named, id === undefined ? getUserByLogin(named) : getUser(Number(id)))
}

async function orUnknown<T>(named: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const { Problem } = await import('../src/errors.ts')
    throw error instanceof Problem && error.code === 'not_found' ? unknown(named) : error
  }
}

function unknown(named: string): CommandError {
  const hint = /^\d+$/.test(named) ? `: an id is written id:${named}` : ''
  return new CommandError(`There is no user ${named || '""'}${hint}`, 'not_found')
}

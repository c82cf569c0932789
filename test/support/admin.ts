import { logIn, type Person, registerPerson } from './client.ts'
import type { Service } from './service.ts'

/** Somebody with a name of their own who is an administrator. */
export async function registerAdmin(service: Pick<Service, 'url' | 'app'>, name = 'admin'): Promise<Person> {
  const person = await registerPerson(service, name)
  await service.app.operations.updateUser({ username: person.username }, { isAdmin: true }, {})
  return { ...person, token: await logIn(service, person) }
}

import { createGatehouse } from 'gatehouse-auth-client'
import { find, formOf, show, tell, unreachable } from './page.ts'

// By cookie: no script can read the tokens, this one included. An access token that has expired is renewed by the client.
const gatehouse = createGatehouse({
  baseUrl: location.origin,
  transport: 'cookie',
  onSignedOut: () => {
    show(undefined)
    tell('You are signed out.')
  }
})

formOf('registration', async ({ username = '', email = '', password = '' }) => {
  const { data, error } = await gatehouse.POST('/auth/registration', { body: { username, email, password } })
  if (data) await logIn(username, password)
  else tell(reasonOf(error))
})

formOf('login', ({ username = '', password = '' }) => logIn(username, password))

find('reload').addEventListener('click', () => void showUser())

find('logout').addEventListener('click', () => void logOut())

void showUser()

async function logIn(username: string, password: string): Promise<void> {
  const { data, error } = await gatehouse.logIn({ username, password })
  if (data) await showUser()
  else tell(reasonOf(error))
}

async function logOut(): Promise<void> {
  const { data, error } = await gatehouse.logOut()
  if (data) show(undefined)
  tell(data ? 'You have logged out.' : reasonOf(error))
}

async function showUser(): Promise<void> {
  const { data, error, response } = await gatehouse.GET('/auth/me')
  show(data)
  if (!data && response.status !== 401) tell(reasonOf(error))
}

/** What Gatehouse says, or that it says nothing: a proxy answers in its place, in words of its own. */
function reasonOf(problem: { detail?: string } | undefined): string {
  return problem?.detail ?? unreachable
}

import { createGatehouse } from 'gatehouse-auth-client'
import { find, formOf, show, tell } from './page.ts'

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
  const { error } = await gatehouse.POST('/auth/registration', { body: { username, email, password } })
  if (error) tell(error.detail)
  else await logIn(username, password)
})

formOf('login', ({ username = '', password = '' }) => logIn(username, password))

find('reload').addEventListener('click', () => void showUser())

find('logout').addEventListener('click', () => void logOut())

void showUser()

async function logIn(username: string, password: string): Promise<void> {
  const { error } = await gatehouse.logIn({ username, password })
  if (error) tell(error.detail)
  else await showUser()
}

async function logOut(): Promise<void> {
  const { error } = await gatehouse.logOut()
  if (!error) show(undefined)
  tell(error ? error.detail : 'You have logged out.')
}

async function showUser(): Promise<void> {
  const { data, error } = await gatehouse.GET('/auth/me')
  show(data)
  if (error !== undefined && error.status !== 401) tell(error.detail)
}

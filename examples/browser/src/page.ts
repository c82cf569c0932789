import type { components } from 'gatehouse-auth-client'

export const unreachable = 'Gatehouse cannot be reached.'

type User = components['schemas']['UserResponse']

export function find(id: string): HTMLElement {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`The page has no #${id}`)
  return element
}

/** Says what has happened, also to screen readers. */
export function tell(text: string): void {
  find('status').textContent = text
}

/** Shows who is signed in, or the forms. */
export function show(user: User | undefined): void {
  find('signed-in').hidden = user === undefined
  find('signed-out').hidden = user !== undefined
  if (user === undefined) return
  const roles = { reader: user.is_reader, author: user.is_author, admin: user.is_admin }
  // As text: what users call themselves is never HTML.
  find('name').textContent = user.username
  find('email').textContent = user.email
  find('roles').textContent = Object.entries(roles)
    .flatMap(([role, held]) => (held ? [role] : []))
    .join(', ')
  find('name').focus()
}

/** Calls `submit` with the fields of a form; while it waits the form cannot be sent again. */
export function formOf(id: string, submit: (fields: Record<string, string | undefined>) => Promise<void>): void {
  const form = find(id) as HTMLFormElement
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    tell('')
    const fields = Object.fromEntries(new FormData(form)) as Record<string, string>
    const button = form.querySelector('button')
    if (button) button.disabled = true
    submit(fields)
      .then(
        () => {
          if (find('signed-out').hidden) form.reset()
        },
        () => {
          tell(unreachable)
        }
      )
      .finally(() => {
        if (button) button.disabled = false
      })
  })
}

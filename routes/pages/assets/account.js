'use strict'

// Posts the token of the link, and says in words what came of it.
const form = document.querySelector('form')
const status = document.querySelector('#status')
const buttons = [...form.querySelectorAll('button')]
const password = form.querySelector('#password')
const show = form.querySelector('#show')
const account = form.querySelector('#account')
const says = form.dataset

const link = new URLSearchParams(location.hash.slice(1))
const token = link.get('token')
// The token stays neither in the address bar nor in the history.
history.replaceState(null, '', location.pathname)

function say(text, mood) {
  status.textContent = text
  status.className = mood
  status.focus()
}

/** What is wrong with a password before it is sent. */
function findFault() {
  if (password === null) return undefined
  const { length } = Array.from(password.value.normalize('NFC'))
  if (length < Number(says.minimum)) return 'tooShort'
  return length > Number(says.maximum) ? 'tooLong' : undefined
}

async function send(post) {
  const body = { token, ...(password !== null && { new_password: password.value }) }
  const answer = await fetch(post, {
    method: 'POST',
    credentials: 'omit',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body)
  })
  if (answer.status === 204) return 'done'
  if (answer.status !== 400 && answer.status !== 409) return 'busy'
  const { code, errors = [] } = await answer.json()
  if (code === 'email_taken') return 'emailTaken'
  if (code === 'last_admin') return 'lastAdmin'
  return errors.some(({ path }) => path === '/body/new_password') ? 'tooWeak' : 'badLink'
}

form.addEventListener('submit', async (event) => {
  event.preventDefault()
  const fault = findFault()
  if (fault !== undefined) {
    say(says[fault], 'bad')
    password.focus()
    return
  }
  const { post, done } = (event.submitter ?? buttons[0]).dataset
  for (const button of buttons) button.disabled = true
  const outcome = await send(post).catch(() => 'busy')
  for (const button of buttons) button.disabled = false
  form.hidden = outcome === 'done' || outcome === 'badLink'
  say(outcome === 'done' ? done : says[outcome], outcome === 'done' ? 'good' : 'bad')
})

// The link names the account that asks: nothing is shown that could not be a username, or the beginning of one.
const name = link.get('account')
if (account !== null && name !== null && /^[A-Za-z0-9._-]{1,32}…?$/.test(name)) {
  account.querySelector('strong').textContent = name
  account.hidden = false
}

if (show !== null) {
  show.addEventListener('change', () => {
    password.type = show.checked ? 'text' : 'password'
  })
}

if (token) form.hidden = false
else say(says.noToken, 'bad')

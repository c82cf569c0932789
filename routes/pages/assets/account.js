'use strict'

// Posts the token of the link, and says in words what came of it.
const form = document.querySelector('form')
const status = document.querySelector('#status')
const button = form.querySelector('button')
const password = form.querySelector('#password')
const show = form.querySelector('#show')
const says = form.dataset

const token = new URLSearchParams(location.hash.slice(1)).get('token')
// The token stays neither in the address bar nor in the history.
history.replaceState(null, '', location.pathname)

function say(text, mood) {
  status.textContent = text
  status.className = mood
  status.focus()
}

/** What is wrong with a password before it is sent. */
const isTooShort = () => password !== null && Array.from(password.value.normalize('NFC')).length < Number(says.minimum)

async function send() {
  const body = { token, ...(password !== null && { new_password: password.value }) }
  const answer = await fetch(says.post, {
    method: 'POST',
    credentials: 'omit',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body)
  })
  if (answer.status === 204) return 'done'
  if (answer.status !== 400) return 'busy'
  const { errors = [] } = await answer.json()
  return errors.some(({ path }) => path === '/body/new_password') ? 'tooWeak' : 'badLink'
}

form.addEventListener('submit', async (event) => {
  event.preventDefault()
  if (isTooShort()) {
    say(says.tooShort, 'bad')
    password.focus()
    return
  }
  button.disabled = true
  const outcome = await send().catch(() => 'busy')
  button.disabled = false
  form.hidden = outcome === 'done' || outcome === 'badLink'
  say(says[outcome], outcome === 'done' ? 'good' : 'bad')
})

if (show !== null) {
  show.addEventListener('change', () => {
    password.type = show.checked ? 'text' : 'password'
  })
}

if (token) form.hidden = false
else say(says.noToken, 'bad')

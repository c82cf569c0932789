import Mustache from 'mustache'
import type { Language } from '../../src/language.ts'
import { maxPasswordLength } from '../../src/passwords/policy.ts'
import { type TextName, texts } from './texts.ts'

export type PageName = 'verify-email' | 'reset-password' | 'undo-email-change' | 'unlock'

// Addresses without a leading slash: a proxy may serve us under a path. The script takes all that it says from here.
const page = `<!doctype html>
<html lang="{{language}}">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="robots" content="noindex">
    <title>{{title}}</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="pages/account.css">
    <script src="pages/account.js" defer></script>
  </head>
  <body>
    <main>
      <h1>{{title}}</h1>
      <noscript><p class="bad">{{noScript}}</p></noscript>
      <form data-minimum="{{minimum}}" data-maximum="{{maximum}}" data-no-token="{{noToken}}" data-bad-link="{{badLink}}" data-busy="{{busy}}"
        data-too-short="{{tooShort}}" data-too-long="{{tooLong}}" data-too-weak="{{tooWeak}}" data-email-taken="{{emailTaken}}" data-last-admin="{{lastAdmin}}" novalidate hidden>
        <p id="intro">{{intro}}</p>
{{#account}}
        <p id="account" hidden>{{account}} <strong></strong></p>
{{/account}}
{{#password}}
        <label for="password">{{resetLabel}}</label>
        <input id="password" name="new_password" type="password" autocomplete="new-password" aria-describedby="intro status" required>
        <label class="choice"><input id="show" type="checkbox"> {{resetShow}}</label>
{{/password}}
{{#buttons}}
        <button type="submit" data-post="{{post}}" data-done="{{done}}"{{#quiet}} class="quiet" aria-describedby="refuse"{{/quiet}}>{{label}}</button>
{{#quiet}}
        <p id="refuse">{{quiet}}</p>
{{/quiet}}
{{/buttons}}
      </form>
      <p id="status" role="status" tabindex="-1"></p>
    </main>
  </body>
</html>
`

/** @param minimum the least length of a password */
export function renderPage(name: PageName, language: Language, minimum: number): string {
  const said = Object.fromEntries(
    Object.entries(texts[language]).map(([key, text]) => [
      key,
      text.replace('{minimum}', String(minimum)).replace('{maximum}', String(maxPasswordLength))
    ])
  )
  const { title, intro, account, buttons } = contents[name]
  return Mustache.render(page, {
    ...said,
    language,
    minimum,
    maximum: maxPasswordLength,
    title: said[title],
    intro: said[intro],
    account: account && said[account],
    buttons: buttons.map(({ post, label, done, quiet }) => ({
      post,
      label: said[label],
      done: said[done],
      quiet: quiet && said[quiet]
    })),
    password: name === 'reset-password'
  })
}

interface Button {
  /** Where it sends the token. */
  post: string
  label: TextName
  /** What is said when that is done. */
  done: TextName
  /** What the choice that few make is for. */
  quiet?: TextName
}

const contents: Record<PageName, { title: TextName; intro: TextName; account?: TextName; buttons: Button[] }> = {
  'verify-email': {
    title: 'verifyTitle',
    intro: 'verifyIntro',
    account: 'verifyAccount',
    buttons: [
      { post: 'auth/email/verify', label: 'verifyButton', done: 'verified' },
      { post: 'auth/email/disown', label: 'disownButton', done: 'disowned', quiet: 'disownIntro' }
    ]
  },
  'undo-email-change': {
    title: 'undoTitle',
    intro: 'undoIntro',
    buttons: [{ post: 'auth/email/undo', label: 'undoButton', done: 'undone' }]
  },
  'reset-password': {
    title: 'resetTitle',
    intro: 'resetIntro',
    buttons: [{ post: 'auth/password/reset', label: 'resetButton', done: 'reset' }]
  },
  unlock: {
    title: 'unlockTitle',
    intro: 'unlockIntro',
    buttons: [{ post: 'auth/unlock', label: 'unlockButton', done: 'unlocked' }]
  }
}

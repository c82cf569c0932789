import Mustache from 'mustache'
import type { Language } from '../../src/mail/language.ts'
import { texts } from './texts.ts'

export type PageName = 'verify-email' | 'reset-password'

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
      <form data-post="{{post}}" data-minimum="{{minimum}}" data-no-token="{{noToken}}" data-bad-link="{{badLink}}" data-busy="{{busy}}"
        data-too-short="{{tooShort}}" data-too-weak="{{tooWeak}}" data-done="{{done}}" novalidate hidden>
        <p id="intro">{{intro}}</p>
{{#password}}
        <label for="password">{{resetLabel}}</label>
        <input id="password" name="new_password" type="password" autocomplete="new-password" aria-describedby="intro status" required>
        <label class="choice"><input id="show" type="checkbox"> {{resetShow}}</label>
{{/password}}
        <button type="submit">{{button}}</button>
      </form>
      <p id="status" role="status" tabindex="-1"></p>
    </main>
  </body>
</html>
`

/** @param minimum the least length of a password */
export function htmlOf(name: PageName, language: Language, minimum: number): string {
  const said = Object.fromEntries(
    Object.entries(texts[language]).map(([key, text]) => [key, text.replace('{minimum}', String(minimum))])
  )
  const own =
    name === 'verify-email'
      ? {
          post: 'auth/email/verify',
          title: 'verifyTitle',
          intro: 'verifyIntro',
          button: 'verifyButton',
          done: 'verified'
        }
      : { post: 'auth/password/reset', title: 'resetTitle', intro: 'resetIntro', button: 'resetButton', done: 'reset' }
  return Mustache.render(page, {
    ...said,
    language,
    minimum,
    post: own.post,
    title: said[own.title],
    intro: said[own.intro],
    button: said[own.button],
    done: said[own.done],
    password: name === 'reset-password'
  })
}

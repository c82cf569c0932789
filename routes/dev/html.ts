import Mustache from 'mustache'
import type { WaitingMail } from '../../src/mail/mailbox.ts'

/** The page loads its own style, and the mails into frames. */
export const pagePolicy =
  "default-src 'none'; style-src 'self'; img-src data:; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** A mail brings its style within itself; nothing runs, and nothing is loaded. Its links open in a tab of their own. */
export const mailPolicy =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'self'; form-action 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="robots" content="noindex">
    <title>Mail in development</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="mail.css">
  </head>
  <body>
    <main>
      <h1>Mail in development</h1>
      <p class="quiet">There is no mail server (<code>SMTP_URL</code>), so mails wait here, the latest first, where only this
        machine can read them. Reload the page to see new ones; a mail whose link was used or replaced is gone.</p>
{{#isEmpty}}
      <p>No mail yet. Register a user, or ask for a new password.</p>
{{/isEmpty}}
{{#mails}}
      <details{{#open}} open{{/open}}>
        <summary><span class="subject">{{subject}}</span> <span class="quiet">to {{to}}, <time datetime="{{time}}">{{localTime}}</time></span></summary>
        <iframe src="mail/{{id}}" title="{{subject}}" loading="lazy"></iframe>
        <details>
          <summary class="quiet">Plain text</summary>
          <pre>{{text}}</pre>
        </details>
      </details>
{{/mails}}
      <p class="quiet">As JSON, for tests: <code>curl {{address}}</code></p>
    </main>
  </body>
</html>
`

// Its readers are at this machine, and in its time zone.
const inWords = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' })

export const renderMailbox = (mails: WaitingMail[], address: string): string =>
  Mustache.render(page, {
    address,
    isEmpty: mails.length === 0,
    mails: mails.map(({ createdAt, ...mail }, index) => ({
      ...mail,
      time: createdAt.toISOString(),
      localTime: inWords.format(createdAt),
      open: index === 0
    }))
  })

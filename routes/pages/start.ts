import type { FastifyInstance } from 'fastify'
import Mustache from 'mustache'
import { isFromLoopback } from '../dev/require-loopback.ts'
import { type Language, negotiateLanguage } from '../../src/language.ts'

/** What the start page says of the service, and of each place that it leads to. */
const texts: Record<
  Language,
  Record<'intro' | 'docs' | 'mail' | 'openapi' | 'health' | 'first' | 'next' | 'onward', string>
> = {
  en: {
    intro:
      'This is an authentication service: applications register and log in their users here, and ask who may do what.',
    docs: 'Read the API, and try it',
    mail: 'Read the mail that the service would send',
    openapi: 'The API as an OpenAPI document, for generators',
    health: 'Is the service ready?',
    first: 'Register a user:',
    next: 'To make them an administrator (stop the service first if its database is the embedded one):',
    onward: 'In a checkout, docs/first-hour.md goes on from here.'
  },
  ru: {
    intro:
      'Это сервис аутентификации: здесь приложения регистрируют своих пользователей, проверяют их пароли и узнают, кому что разрешено.',
    docs: 'Описание API, где его можно попробовать',
    mail: 'Письма, которые отправил бы сервис',
    openapi: 'API в виде документа OpenAPI, для генераторов',
    health: 'Готов ли сервис?',
    first: 'Зарегистрируйте пользователя:',
    next: 'Как сделать его администратором (встроенная база данных требует сначала остановить сервис):',
    onward: 'Что дальше, описано в файле docs/first-hour.md.'
  }
}

const page = `<!doctype html>
<html lang="{{language}}">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="robots" content="noindex">
    <title>Gatehouse</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="pages/account.css">
  </head>
  <body>
    <main class="wide">
      <h1>Gatehouse</h1>
      <p id="intro">{{intro}}</p>
      <ul>
{{#places}}
        <li><a href="{{{href}}}">{{text}}</a></li>
{{/places}}
      </ul>
{{#isDevelopment}}
      <p>{{first}}</p>
      <pre tabindex="0">curl \\
  {{origin}}/auth/registration \\
  -H 'content-type: application/json' -d '{
    "username": "alice",
    "email": "alice@example.com",
    "password": "a long and quiet evening"
  }'</pre>
      <p>{{next}}</p>
      <pre tabindex="0">./gatehouse users grant alice admin</pre>
      <p>{{onward}}</p>
{{/isDevelopment}}
    </main>
  </body>
</html>
`

/** Nothing runs on it, and it loads its style alone. */
const pagePolicy =
  "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** What `/` shows a person who opens it in a browser: what this is and where to go. */
export async function start(app: FastifyInstance): Promise<void> {
  const { docs, issuer, production } = app.config
  app.route({
    method: 'GET',
    url: '/',
    schema: { hide: true },
    handler(request, reply) {
      const language = negotiateLanguage(request.headers['accept-language'])
      const said = texts[language]
      const places = [
        ...(docs ? [{ href: 'docs', text: said.docs }] : []),
        ...(app.mailbox && isFromLoopback(request) ? [{ href: 'dev/mail', text: said.mail }] : []),
        ...(docs ? [{ href: 'openapi.json', text: said.openapi }] : []),
        { href: 'health/ready', text: said.health }
      ]
      return reply
        .type('text/html; charset=utf-8')
        .headers({ 'content-security-policy': pagePolicy, 'content-language': language, vary: 'Accept-Language' })
        .send(Mustache.render(page, { ...said, language, places, isDevelopment: !production, origin: issuer }))
    }
  })
}

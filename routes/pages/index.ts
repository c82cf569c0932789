import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { negotiateLanguage } from '../../src/language.ts'
import { packageFolder } from '../../src/package-folder.ts'
import { renderPage, type PageName } from './html.ts'
import { start } from './start.ts'

// Their own script and style, an icon that is none, and nothing from elsewhere.
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const asset = (name: string) => readFileSync(join(packageFolder, 'routes/pages/assets', name), 'utf8')

/**
 * Where the links in mails lead, for those who have no front-end of their own: what follows `#` in them is posted to the
 * API by the page's script.
 */
export async function pages(app: FastifyInstance): Promise<void> {
  const { passwordMinLength } = app.config
  await app.register(start)
  const names: PageName[] = ['verify-email', 'reset-password', 'undo-email-change', 'unlock']
  for (const name of names) {
    app.route({
      method: 'GET',
      url: `/${name}`,
      schema: { hide: true },
      handler(request, reply) {
        const language = negotiateLanguage(request.headers['accept-language'])
        return reply
          .type('text/html; charset=utf-8')
          .headers({ 'content-security-policy': pagePolicy, 'content-language': language, vary: 'Accept-Language' })
          .send(renderPage(name, language, passwordMinLength))
      }
    })
  }

  const assets = [
    ['account.js', 'text/javascript; charset=utf-8'],
    ['account.css', 'text/css; charset=utf-8']
  ] as const
  for (const [name, type] of assets) {
    const content = asset(name)
    app.route({
      method: 'GET',
      url: `/pages/${name}`,
      schema: { hide: true },
      handler: (_request, reply) => reply.type(type).send(content)
    })
  }
}

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Mailbox } from '../../src/mail/mailbox.ts'
import { packageFolder } from '../../src/package-folder.ts'
import { Problem } from '../../src/errors.ts'
import { UserParams } from '../admin/schemas.ts'
import { viewMail } from '../views.ts'
import { mailPolicy, pagePolicy, renderMailbox } from './html.ts'

const html = 'text/html; charset=utf-8'
const maxShown = 50

/** The mails that wait, as a page for people and as JSON for their tests. */
export const mail: FastifyPluginAsyncTypebox<{ mailbox: Mailbox }> = async (app, { mailbox }) => {
  const style = readFileSync(join(packageFolder, 'routes/dev/assets/mail.css'), 'utf8')

  app.route({
    method: 'GET',
    url: '/mail',
    schema: { hide: true },
    async handler(request, reply) {
      const mails = await mailbox.list(maxShown)
      reply.header('vary', 'Accept')
      if (request.headers.accept?.includes('text/html') !== true) return { items: mails.map(viewMail) }
      return reply
        .type(html)
        .header('content-security-policy', pagePolicy)
        .send(renderMailbox(mails, addressOf(request)))
    }
  })

  // In a frame of the page, in which no script runs.
  app.route({
    method: 'GET',
    url: '/mail/:id',
    schema: { hide: true, params: UserParams },
    async handler(request, reply) {
      const mail = await mailbox.find(request.params.id)
      if (mail === undefined) throw new Problem('not_found')
      return reply
        .type(html)
        .headers({ 'content-security-policy': mailPolicy, 'x-frame-options': 'SAMEORIGIN' })
        .send(mail.html.replace('<head>', '<head><base target="_blank">'))
    }
  })

  app.route({
    method: 'GET',
    url: '/mail.css',
    schema: { hide: true },
    handler: (_request, reply) => reply.type('text/css; charset=utf-8').send(style)
  })
}

const addressOf = ({ headers }: FastifyRequest) => `http://${headers.host ?? ''}/dev/mail`

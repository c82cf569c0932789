import { randomUUID } from 'node:crypto'
import Fastify, { type FastifyInstance } from 'fastify'
import gatehouse, { type VerifierOptions } from 'gatehouse-auth-client/fastify'

interface Article {
  id: string
  author: string
  title: string
}

const body = {
  type: 'object',
  required: ['title'],
  additionalProperties: false,
  properties: { title: { type: 'string', minLength: 1, maxLength: 200 } }
}

/** Articles in memory: readers read, authors write, and delete their own. */
export async function buildApp(options: VerifierOptions): Promise<FastifyInstance> {
  const app = Fastify()
  await app.register(gatehouse, options)
  const articles = new Map<string, Article>()

  app.get('/me', { onRequest: app.requireCaller }, ({ caller }) => ({ name: caller.name, roles: caller.roles }))

  app.get('/articles', { onRequest: app.requireRole('reader') }, () => [...articles.values()])

  app.post<{ Body: Pick<Article, 'title'> }>(
    '/articles',
    { onRequest: app.requireRole('author'), schema: { body } },
    ({ caller, body: { title } }, reply) => {
      const article = { id: randomUUID(), author: caller.id, title }
      articles.set(article.id, article)
      return reply.code(201).send(article)
    }
  )

  app.delete<{ Params: { id: string } }>(
    '/articles/:id',
    { onRequest: app.requireRole('author') },
    ({ caller, params: { id } }, reply) => {
      // Another author's is none of the caller's business: as if it were not there.
      if (articles.get(id)?.author !== caller.id) return reply.code(404).send({ detail: 'Not found' })
      articles.delete(id)
      return reply.code(204).send()
    }
  )

  return app
}

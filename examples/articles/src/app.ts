import { randomUUID } from 'node:crypto'
import Fastify, { type FastifyInstance } from 'fastify'
import type { ServiceClient } from 'gatehouse-client'
import { type AccessOptions, callerOf, createAccess, Refusal } from './access.ts'

interface Article {
  id: string
  author: string
  title: string
}

export interface ArticlesOptions {
  access: AccessOptions
  /** This service's own account with Gatehouse. */
  gatehouse: ServiceClient
}

const articleBody = {
  type: 'object',
  required: ['title'],
  additionalProperties: false,
  properties: { title: { type: 'string', minLength: 1, maxLength: 200 } }
}

/** Readers read, authors write and change their own, admins delete. */
export function buildArticles({ access, gatehouse }: ArticlesOptions): FastifyInstance {
  const app = Fastify()
  const allow = createAccess(access)
  const articles = new Map<string, Article>()
  app.decorateRequest('caller', null)

  app.get('/articles', { onRequest: allow('reader') }, () => [...articles.values()])

  app.post<{ Body: Pick<Article, 'title'> }>(
    '/articles',
    { onRequest: allow('author'), schema: { body: articleBody } },
    (request, reply) => {
      const article = { id: randomUUID(), author: callerOf(request).id, title: request.body.title }
      articles.set(article.id, article)
      return reply.code(201).send(article)
    }
  )

  app.put<{ Params: { id: string }; Body: Pick<Article, 'title'> }>(
    '/articles/:id',
    { onRequest: allow('author'), schema: { body: articleBody } },
    (request) => {
      const article = find(request.params.id)
      if (article.author !== callerOf(request).id) throw new Refusal(403)
      article.title = request.body.title
      return article
    }
  )

  app.delete<{ Params: { id: string } }>('/articles/:id', { onRequest: allow('admin') }, (request, reply) => {
    articles.delete(find(request.params.id).id)
    return reply.code(204).send()
  })

  // Asked of Gatehouse on this service's own account: what the caller's token does not tell.
  app.get<{ Params: { id: string } }>('/articles/:id/author', { onRequest: allow('admin') }, async (request) => {
    const id = Number(find(request.params.id).author)
    const { data } = await gatehouse.GET('/admin/users/{id}', { params: { path: { id } } })
    if (data === undefined) throw new Refusal(404)
    return { username: data.username, email: data.email }
  })

  function find(id: string): Article {
    const article = articles.get(id)
    if (article === undefined) throw new Refusal(404)
    return article
  }

  return app
}

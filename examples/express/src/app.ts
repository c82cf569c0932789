import { randomUUID } from 'node:crypto'
import express, { type Express } from 'express'
import gatehouse, { type VerifierOptions } from 'gatehouse-auth-client/express'

interface Article {
  id: string
  author: string
  title: string
}

/** Articles in memory: readers read, authors write, and delete their own. */
export function buildApp(options: VerifierOptions): Express {
  const app = express()
  const { requireCaller, requireRole } = gatehouse(options)
  const articles = new Map<string, Article>()

  app.get('/me', requireCaller, ({ caller }, response) => {
    response.json({ name: caller.name, roles: caller.roles })
  })

  app.get('/articles', requireRole('reader'), (_request, response) => {
    response.json([...articles.values()])
  })

  // The guard first: the body of a stranger is not read.
  app.post('/articles', requireRole('author'), express.json(), (request, response) => {
    const { title } = (request.body ?? {}) as { title?: unknown }
    if (typeof title !== 'string' || title === '' || title.length > 200) {
      response.status(400).json({ detail: 'An article needs a title of 1 to 200 characters' })
      return
    }
    const article = { id: randomUUID(), author: request.caller.id, title }
    articles.set(article.id, article)
    response.status(201).json(article)
  })

  app.delete('/articles/:id', requireRole('author'), ({ caller, params: { id } }, response) => {
    // Another author's is none of the caller's business: as if it were not there.
    if (articles.get(id)?.author !== caller.id) {
      response.status(404).json({ detail: 'Not found' })
      return
    }
    articles.delete(id)
    response.status(204).end()
  })

  return app
}

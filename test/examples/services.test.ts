import t, { type Test } from 'tap'
import { buildApp as buildExpress } from '../../examples/express/src/app.ts'
import { buildApp as buildFastify } from '../../examples/fastify/src/app.ts'
import { call, logIn, registerPerson } from '../support/client.ts'
import { serve } from '../support/consumers.ts'
import { createClient, tokenOf } from '../support/service-client.ts'
import { type Service, startService } from '../support/service.ts'

const title = 'On gates'
const frameworks = { Fastify: startFastify, Express: startExpress }

for (const [framework, start] of Object.entries(frameworks)) {
  await t.test(`the ${framework} example: readers read, authors write, and delete their own`, async (t) => {
    const gatehouse = await startService(t)
    const articles = { url: await start(t, gatehouse) }
    const reader = (await registerPerson(gatehouse)).token
    const [author, other] = [await authorOf(gatehouse), await authorOf(gatehouse)]

    t.equal((await call(articles, 'GET /articles')).status, 401)
    t.match((await call(articles, 'GET /me', { bearer: reader })).body, { roles: ['reader'] })
    t.same((await call(articles, 'GET /articles', { bearer: reader })).body, [])
    t.equal((await call(articles, 'POST /articles', { bearer: reader, json: { title } })).status, 403)
    t.equal((await call(articles, 'POST /articles', { raw: '{' })).status, 401, 'before its body is read')

    t.equal((await call(articles, 'POST /articles', { bearer: author, json: {} })).status, 400)
    const written = await call(articles, 'POST /articles', { bearer: author, json: { title } })
    t.equal(written.status, 201)
    const { id } = written.body as { id: string }
    t.match((await call(articles, 'GET /articles', { bearer: reader })).body, [{ id, title }])
    t.equal((await call(articles, `DELETE /articles/${id}`, { bearer: other })).status, 404)
    t.equal((await call(articles, `DELETE /articles/${id}`, { bearer: author })).status, 204)
    t.same((await call(articles, 'GET /articles', { bearer: reader })).body, [])

    const client = await createClient(gatehouse, { name: 'press', isAuthor: true })
    const posted = await call(articles, 'POST /articles', { bearer: await tokenOf(gatehouse, client), json: { title } })
    t.match([posted.status, posted.body], [201, { author: `client:${client.id}` }], 'a service is an author, too')
  })
}

async function startFastify(t: Test, gatehouse: Service): Promise<string> {
  const app = await buildFastify(trust(gatehouse))
  t.teardown(() => app.close())
  return app.listen({ host: '127.0.0.1', port: 0 })
}

function startExpress(t: Test, gatehouse: Service): Promise<string> {
  return serve(t, buildExpress(trust(gatehouse)))
}

function trust({ url, env }: Service) {
  return { issuer: env.ISSUER ?? '', audience: 'gatehouse', jwksUrl: `${url}/.well-known/jwks.json` }
}

async function authorOf(gatehouse: Service): Promise<string> {
  const person = await registerPerson(gatehouse)
  await gatehouse.app.operations.updateUser({ username: person.username }, { isAuthor: true, isReader: true }, {})
  return logIn(gatehouse, person)
}

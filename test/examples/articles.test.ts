import { createServer } from 'node:http'
import { createServiceClient } from 'gatehouse-client'
import t, { type Test } from 'tap'
import { buildArticles } from '../../examples/articles/src/app.ts'
import { call, type Person, registerPerson, startSession } from '../support/client.ts'
import { es256, forge, partsOf, signingKeyOf } from '../support/forge.ts'
import { type Service, startService } from '../support/service.ts'

const title = 'On gates'

await t.test('readers read, authors write their own, admins delete', async (t) => {
  const { articles, reader, author, otherAuthor, admin } = await startArticles(t)
  t.equal((await call(articles, 'GET /articles', { bearer: reader })).status, 200)
  t.equal((await call(articles, 'POST /articles', { bearer: reader, json: { title } })).status, 403)

  const written = await call(articles, 'POST /articles', { bearer: author, json: { title } })
  t.equal(written.status, 201)
  const { id } = written.body as { id: string }
  t.match((await call(articles, 'GET /articles', { bearer: reader })).body, [{ id, title }])
  t.equal((await call(articles, `PUT /articles/${id}`, { bearer: author, json: { title: 'On walls' } })).status, 200)
  t.equal((await call(articles, `PUT /articles/${id}`, { bearer: otherAuthor, json: { title } })).status, 403)
  t.equal((await call(articles, 'POST /articles', { bearer: admin, json: { title } })).status, 403, 'roles stand alone')

  const refused = await call(articles, `DELETE /articles/${id}`, { bearer: author })
  t.equal(refused.status, 403)
  t.equal(refused.headers.get('www-authenticate'), 'Bearer error="insufficient_scope"')
  t.equal((await call(articles, `DELETE /articles/${id}`, { bearer: admin })).status, 204)
  t.equal((await call(articles, `DELETE /articles/${id}`, { bearer: admin })).status, 404)
})

await t.test('a token that is not what it should be is refused', async (t) => {
  const { articles, gatehouse, reader } = await startArticles(t)
  const { header, payload } = partsOf(reader)
  const { key } = signingKeyOf(gatehouse)
  const signed = (changed: object, head: object = {}) =>
    forge({ ...header, ...head }, { ...payload, ...changed }, es256(key))
  const tokens = {
    'another issuer': signed({ iss: 'http://elsewhere.test' }),
    'another audience': signed({ aud: 'another' }),
    'another kind of JWT': signed({}, { typ: 'JWT' }),
    'past its time': signed({ exp: Number(payload.iat) - 10 }),
    'without an end': signed({ exp: undefined }),
    'another algorithm': signed({}, { alg: 'HS256' }),
    unsigned: forge({ ...header, alg: 'none' }, payload, ''),
    'signed by nobody': forge(header, { ...payload, is_admin: true }, 'AAAA'),
    none: 'none'
  }
  t.equal(
    (await call(articles, 'GET /articles', { bearer: signed({}) })).status,
    200,
    'the forgery is good but for that'
  )
  for (const [name, bearer] of Object.entries(tokens)) {
    const answer = await call(articles, 'GET /articles', { bearer })
    t.equal(answer.status, 401, name)
    t.equal(answer.headers.get('www-authenticate'), 'Bearer error="invalid_token"')
  }
  const stranger = await call(articles, 'GET /articles')
  t.equal(stranger.status, 401)
  t.equal(stranger.headers.get('www-authenticate'), 'Bearer')
})

await t.test('tokens are verified while Gatehouse is down, and unknown keys do not hammer it', async (t) => {
  const { articles, gatehouse, reader, author, keyRequests } = await startArticles(t)
  t.equal((await call(articles, 'GET /articles', { bearer: reader })).status, 200)
  const { header, payload } = partsOf(reader)
  for (let index = 0; index < 20; index += 1) {
    const bearer = forge({ ...header, kid: `unknown-${String(index)}` }, payload, es256(signingKeyOf(gatehouse).key))
    t.equal((await call(articles, 'GET /articles', { bearer })).status, 401)
  }
  t.equal(keyRequests(), 1)

  await gatehouse.close()
  t.equal((await call(articles, 'GET /articles', { bearer: reader })).status, 200)
  t.equal((await call(articles, 'POST /articles', { bearer: author, json: { title } })).status, 201)
})

await t.test('a service that never saw the keys says that it is not ready, not that the token is bad', async (t) => {
  const { articles, gatehouse, reader } = await startArticles(t)
  await gatehouse.close()
  t.equal((await call(articles, 'GET /articles', { bearer: reader })).status, 503)
})

await t.test("a service's own account: who the author is, asked with its own token", async (t) => {
  const { articles, author, admin, people } = await startArticles(t)
  const written = await call(articles, 'POST /articles', { bearer: author, json: { title } })
  const { id } = written.body as { id: string }
  t.equal((await call(articles, `GET /articles/${id}/author`, { bearer: author })).status, 403)
  const answer = await call(articles, `GET /articles/${id}/author`, { bearer: admin })
  t.same(answer.body, { username: people.author.username, email: people.author.email })
})

/** Gatehouse and the example beside it, with tokens of its people. */
async function startArticles(t: Test) {
  const gatehouse = await startService(t)
  const keys = await countingProxy(t, gatehouse)
  const people = {
    reader: await registerPerson(gatehouse),
    author: await registerPerson(gatehouse),
    otherAuthor: await registerPerson(gatehouse),
    admin: await registerPerson(gatehouse)
  }
  const tokenOf = async (person: Person) => (await startSession(gatehouse, person)).access_token
  await gatehouse.app.operations.updateUser({ username: people.author.username }, { isAuthor: true }, {})
  await gatehouse.app.operations.updateUser({ username: people.otherAuthor.username }, { isAuthor: true }, {})
  await gatehouse.app.operations.updateUser({ username: people.admin.username }, { isAdmin: true }, {})
  const admin = await tokenOf(people.admin)
  const account = { name: 'articles', is_admin: true }
  const made = await call(gatehouse, 'POST /admin/clients', { bearer: admin, json: account })
  const { id: clientId, client_secret: clientSecret } = made.body as { id: string; client_secret: string }
  const app = buildArticles({
    access: { url: keys.url, issuer: 'http://gatehouse.test', audience: 'gatehouse' },
    gatehouse: createServiceClient({ baseUrl: keys.url, clientId, clientSecret, scope: 'admin' })
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  return {
    articles: { url },
    gatehouse,
    people,
    keyRequests: () => keys.requests('/.well-known/jwks.json'),
    reader: await tokenOf(people.reader),
    author: await tokenOf(people.author),
    otherAuthor: await tokenOf(people.otherAuthor),
    admin
  }
}

/** Passes requests on and counts them; refuses to when Gatehouse is down. */
async function countingProxy(t: Test, { url }: Pick<Service, 'url'>) {
  const paths: string[] = []
  const server = createServer((request, response) => {
    paths.push(request.url ?? '')
    const { authorization = '', 'content-type': type = '' } = request.headers
    const chunks: Buffer[] = []
    request
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () => {
        const body = Buffer.concat(chunks).toString()
        fetch(url + (request.url ?? ''), {
          method: request.method ?? 'GET',
          headers: { authorization, ...(type !== '' && { 'content-type': type }) },
          ...(body !== '' && { body })
        }).then(
          async (answer) =>
            response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text()),
          () => request.socket.destroy()
        )
      })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as { port: number }
  return { url: `http://127.0.0.1:${String(port)}`, requests: (path: string) => paths.filter((p) => p === path).length }
}

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import Fastify from 'fastify'
import { createGatehouse } from 'gatehouse-auth-client'
import guards from 'gatehouse-auth-client/express'
import plugin from 'gatehouse-auth-client/fastify'
import {
  AccessProblem,
  type Caller,
  createVerifier,
  type Role,
  type VerifierOptions
} from 'gatehouse-auth-client/verifier'

// What a service of somebody else does with the package: checked by tsc and run by scripts/smoke-client.ts.
const [, , baseUrl = '', issuer = ''] = process.argv
const options: VerifierOptions = { issuer, audience: 'gatehouse', jwksUrl: `${baseUrl}/.well-known/jwks.json` }
const role: Role = 'reader'
const describe = (caller: Caller): string =>
  caller.kind === 'user' ? `${caller.claims.username} ${caller.roles.join()}` : caller.claims.client_id

const fastify = Fastify()
await fastify.register(plugin, options)
fastify.get('/', { onRequest: fastify.requireRole(role) }, ({ caller }) => describe(caller))
fastify.get('/author', { onRequest: [fastify.requireCaller, fastify.requireRole('author')] }, () => 'never')

const app = express()
const { requireCaller, requireRole } = guards(options)
app.get('/', requireCaller, requireRole(role), ({ caller }, response) => {
  response.send(describe(caller))
})
app.get('/author', requireRole('author'), (_request, response) => {
  response.send('never')
})
const server = app.listen(0, '127.0.0.1')
await once(server, 'listening')

const gatehouse = createGatehouse({ baseUrl })
const alice = { username: 'alice', password: 'a long and quiet evening' }
await gatehouse.POST('/auth/registration', { body: { ...alice, email: 'alice@example.com' } })
const login = await gatehouse.logIn(alice)
assert.equal(login.response.status, 200)
const services = [
  await fastify.listen({ host: '127.0.0.1', port: 0 }),
  `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`
]
for (const url of services) {
  const answer = await gatehouse.fetch(url)
  assert.equal(await answer.text(), 'alice reader')
  assert.equal((await gatehouse.fetch(`${url}/author`)).status, 403)
  assert.equal((await fetch(url)).headers.get('www-authenticate'), 'Bearer')
}
await assert.rejects(createVerifier(options).verify('none'), AccessProblem)

server.close()
await fastify.close()

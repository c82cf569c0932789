import t from 'tap'
import { call, registerPerson } from '../../support/client.ts'
import { createClient, introspect, post, tokenOf } from '../../support/service-client.ts'
import { kinds, startService } from '../../support/service.ts'

for (const kind of kinds) {
  await t.test(`a service revokes tokens of its own and no others, on ${kind}`, async (t) => {
    const service = await startService(t, {}, kind)
    const [client, other] = [await createClient(service), await createClient(service)]
    const person = await registerPerson(service)
    const [first, second] = [await tokenOf(service, client), await tokenOf(service, client)]
    const others = await tokenOf(service, other)
    const revoke = async (token: string) => {
      const answer = await post(service, '/oauth/revoke', { token, token_type_hint: 'refresh_token' }, client)
      t.strictSame([answer.status, answer.text], [200, ''])
      t.equal(answer.headers.get('cache-control'), 'no-store')
    }

    await revoke(first)
    await revoke(first)
    t.equal(await introspect(service, other, first), '{"active":false}')
    t.match((await call(service, 'GET /authz', { bearer: first })).body, { code: 'token_revoked' })
    t.equal((await call(service, 'GET /authz', { bearer: second })).status, 204, 'another token of it lives')

    for (const token of [others, person.token, 'unknown', `${second}x`]) await revoke(token)
    for (const bearer of [second, others, person.token])
      t.equal((await call(service, 'GET /authz', { bearer })).status, 204, 'nothing happened to it')

    const missing = await post(service, '/oauth/revoke', '', client)
    t.match([missing.status, missing.body], [400, { error: 'invalid_request', error_description: 'token is required' }])
  })
}

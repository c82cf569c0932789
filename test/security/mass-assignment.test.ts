import t from 'tap'
import { startInputTarget } from '../support/input-target.ts'

const { takers, send, refused, unchanged } = await startInputTarget(t)

/** What a client might hope to set beside what it may: columns, in the spellings of SQL, JSON and other services. */
const coveted: Record<string, unknown> = {
  id: 1,
  user_id: 1,
  is_admin: true,
  isAdmin: true,
  is_author: true,
  is_reader: true,
  admin: true,
  role: 'admin',
  roles: ['admin'],
  groups: ['admin'],
  scope: 'admin',
  permissions: { admin: true },
  is_disabled: false,
  disabled: false,
  password_hash: '$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g',
  passwordHash: 'x',
  hash: 'x',
  email_verified: true,
  emailVerified: true,
  username_key: 'admin',
  email_key: 'admin@example.com',
  version: 1,
  password_version: 1,
  last_login_at: '2020-01-01T00:00:00Z',
  created_at: '2020-01-01T00:00:00Z',
  updated_at: '2020-01-01T00:00:00Z',
  sid: '00000000-0000-4000-8000-000000000000',
  expires_at: '2099-01-01T00:00:00Z',
  user: { is_admin: true },
  data: { is_admin: true },
  $set: { is_admin: true }
}

for (const taker of takers) {
  await t.test(`${taker.name} sets nothing but what it says`, async (t) => {
    await unchanged(t, async () => {
      for (const [property, value] of Object.entries(coveted)) {
        // Where a property may be set, who may set it is a matter of the guard.
        if (Object.hasOwn(taker.schema.properties, property)) continue
        refused(t, await send(taker, { json: { ...taker.valid, [property]: value } }), property)
      }
      const all = await send(taker, { json: { ...coveted, ...taker.valid } })
      refused(t, all, 'all of them at once')
    })
  })
}

await t.test('a profile change takes neither another username nor a password', async (t) => {
  const profile = takers.find(({ name }) => name === 'PATCH /auth/me')!
  await unchanged(t, async () => {
    for (const json of [{ username: 'admin' }, { password: 'a long and quiet evening' }, { new_password: 'x' }]) {
      refused(t, await send(profile, { json }), JSON.stringify(json))
    }
  })
})

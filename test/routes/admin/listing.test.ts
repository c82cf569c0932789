import t from 'tap'
import { sql } from 'drizzle-orm'
import { registerAdmin } from '../../support/admin.ts'
import { call } from '../../support/client.ts'
import { kinds, type Service, startService } from '../../support/service.ts'

interface Page {
  items: { id: number; username: string }[]
  next_cursor: string | null
}

const sorts = ['created_at', '-created_at', 'username']

/** Users past the API: three at a time within the same microsecond. */
async function insertUsers(service: Service, prefix: string, from: number, to: number): Promise<void> {
  await service.app.database.db.execute(sql`
    insert into users (username, username_key, email, email_key, is_author, is_disabled, created_at)
    select name, name, n || name || '@example.com', n || name || '@example.com', n % 10 = 0, n % 7 = 0,
      timestamptz '2024-01-01 00:00:00.123456+00' + (n / 3) * interval '1 microsecond'
    from (select n, ${prefix}::text || n as name from generate_series(${from}::integer, ${to}::integer) n) as numbered`)
}

for (const kind of kinds) {
  await t.test(`GET /admin/users, on ${kind}`, async (t) => {
    const service = await startService(t, {}, kind)
    const { token: bearer, username: admin } = await registerAdmin(service)
    await insertUsers(service, 'u', 1, 200)
    const ask = (query: string) => call(service, `GET /admin/users?${query}`, { bearer })
    const list = async (query: string) => (await ask(query)).body as Page
    /** The names on all pages, in their order. */
    async function walk(query: string, between: () => Promise<void> = async () => undefined): Promise<string[]> {
      const names: string[] = []
      for (let cursor: string | null = ''; cursor !== null;) {
        const page: Page = await list(query + (cursor === '' ? '' : `&cursor=${cursor}`))
        names.push(...page.items.map(({ username }) => username))
        cursor = page.next_cursor
        await between()
      }
      return names
    }

    await t.test('pages of fifty unless told otherwise, of an allow-list of fields', async (t) => {
      const page = await list('')
      t.equal(page.items.length, 50)
      t.strictSame(Object.keys(page.items[0] ?? {}).sort(), [
        'created_at',
        'email',
        'email_verified',
        'first_name',
        'id',
        'is_admin',
        'is_author',
        'is_disabled',
        'is_reader',
        'last_login_at',
        'pending_email',
        'second_name',
        'updated_at',
        'username'
      ])
      t.match(await list('limit=100&sort=-created_at'), { items: [{ username: admin }] })
    })

    await t.test('each order shows everybody once, users of the same microsecond too', async (t) => {
      for (const sort of sorts) {
        const names = await walk(`sort=${sort}&limit=7`)
        t.equal(names.length, 201, sort)
        t.equal(new Set(names).size, 201, sort)
      }
      const byName = await walk('sort=username&limit=13')
      t.strictSame(byName, byName.toSorted(), 'as bytes are ordered')
      const byAge = await walk('sort=created_at&limit=9&q=u')
      t.strictSame(
        byAge,
        Array.from({ length: 200 }, (_, n) => `u${String(n + 1)}`)
      )
      t.strictSame((await walk('sort=-created_at&limit=100&q=u')).reverse(), byAge)
    })

    await t.test('paging shows each user of the beginning once, while users are added', async (t) => {
      let added = 0
      for (const sort of sorts) {
        const before = await walk(`sort=${sort}&limit=100`)
        const seen = await walk(`sort=${sort}&limit=30`, async () => {
          if (added < 60) await insertUsers(service, `added${sort.replace('-', '')}x`, added + 1, (added += 4))
        })
        t.equal(new Set(seen).size, seen.length, `${sort}: nobody twice`)
        const missed = before.filter((name) => !seen.includes(name))
        t.strictSame(missed, [], `${sort}: nobody is missed`)
      }
    })

    await t.test('filters by role and status, alone and together', async (t) => {
      for (const sort of sorts) {
        const names = async (query: string) => (await walk(`${query}&limit=11&sort=${sort}&q=u`)).toSorted()
        const expected = (condition: (n: number) => boolean) =>
          Array.from({ length: 200 }, (_, n) => n + 1)
            .filter(condition)
            .map((n) => `u${String(n)}`)
            .toSorted()
        t.strictSame(
          await names('role=author'),
          expected((n) => n % 10 === 0)
        )
        t.strictSame(
          await names('role=reader'),
          expected(() => true)
        )
        t.strictSame(
          await names('status=disabled'),
          expected((n) => n % 7 === 0)
        )
        t.strictSame(
          await names('status=enabled'),
          expected((n) => n % 7 !== 0)
        )
        t.strictSame(
          await names('status=disabled&role=author'),
          expected((n) => n % 70 === 0)
        )
        t.strictSame(await walk(`role=admin&sort=${sort}`), [admin])
      }
    })

    await t.test('finds by the start of the username or of the e-mail address, in any case', async (t) => {
      t.strictSame((await walk('q=U20')).toSorted(), ['u20', 'u200'])
      t.strictSame(await walk('q=200U200@EX'), ['u200'])
      t.strictSame(await walk(`q=${encodeURIComponent('ｕ199')}`), ['u199'], 'full-width, as at login')
      for (const q of ['%', '_20', 'u2%', "u'--", '"', '\\', 'ü', '😀', '\u{10ffff}', 'u20 ', '*']) {
        t.strictSame(await walk(`q=${encodeURIComponent(q)}`), [], `${q} is a text like any other`)
      }
    })

    await t.test('refuses what it does not know', async (t) => {
      const { next_cursor: cursor } = await list('limit=1')
      const forged = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
      const refused = [
        ...[
          'limit=0',
          'limit=101',
          'limit=x',
          'limit=1&limit=2',
          'role=owner',
          'status=x',
          'sort=email',
          'q=',
          'page=2'
        ],
        ...[`q=${'x'.repeat(255)}`, 'q=%00', 'cursor=', 'cursor=x', 'cursor=%27', `cursor=${'x'.repeat(600)}`],
        `sort=username&cursor=${cursor ?? ''}`,
        `sort=-created_at&cursor=${cursor ?? ''}`,
        ...[null, 1, {}, [], ['users by created_at'], ['users by created_at', 1], ['users by created_at', '1', 2]].map(
          (value) => `cursor=${forged(value)}`
        ),
        `cursor=${forged(['users by created_at', 1e300, 2])}`,
        `cursor=${forged(['users by created_at', 1, 2 ** 40])}`,
        `sort=username&cursor=${forged(['users by username', 'a\0'])}`
      ]
      for (const query of refused) {
        const answer = await ask(query)
        t.match([answer.status, answer.body], [400, { code: 'validation_failed' }], query)
      }
    })
  })
}

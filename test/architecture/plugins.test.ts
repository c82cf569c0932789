import Fastify, { type FastifyPluginAsync } from 'fastify'
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { type Config, readConfig } from '../../src/config/config.ts'
import { cheapHashes, createDatabase, createFolder } from '../support/service.ts'

const folder = new URL('../../plugins/', import.meta.url)

interface Plugin {
  register: FastifyPluginAsync<{ config: Config }>
  dependencies: string[]
  /** What it puts on the instance, on requests and on replies. */
  provides: string[]
  source: string
}

const plugins = new Map<string, Plugin>()
for (const file of readdirSync(folder).filter((name) => name.endsWith('.ts'))) {
  const source = readFileSync(new URL(file, folder), 'utf8')
  const { default: register } = (await import(`../../plugins/${file}`)) as {
    default: FastifyPluginAsync<{ config: Config }>
  }
  const { name, dependencies = [] } = Reflect.get(register, Symbol.for('plugin-meta')) as {
    name: string
    dependencies?: string[]
  }
  const provides = [...source.matchAll(/\.decorate(?:Request|Reply)?\(\s*'(\w+)'/g)].map(([, member = '']) => member)
  plugins.set(name, { register, dependencies, provides, source })
  t.equal(`${name}.ts`, file, 'a plugin has the name of its file')
}

/** A plugin with all that it needs, what is needed first. */
function withDependencies(name: string, found = new Set<string>()): Set<string> {
  for (const dependency of plugins.get(name)?.dependencies ?? []) withDependencies(dependency, found)
  return found.add(name)
}

for (const [name, { dependencies, source }] of plugins) {
  await t.test(`${name} starts with the plugins that it declares and no others`, async (t) => {
    const env = {
      ...cheapHashes,
      DATABASE_URL: await createDatabase(t),
      KEYS_DIR: createFolder(t),
      LOG_LEVEL: 'silent'
    }
    const app = Fastify({ pluginTimeout: 0 })
    t.teardown(() => app.close())
    for (const part of withDependencies(name)) {
      await app.register(plugins.get(part)!.register, { config: readConfig(env) })
    }
    await t.resolves(async () => app.ready())
  })

  await t.test(`${name} declares each plugin whose parts it uses`, async (t) => {
    const used = (member: string) =>
      new RegExp(`\\b(?:app|instance|request|reply|this|server)\\.${member}\\b`).test(source) ||
      new RegExp(`\\{[^{}]*\\b${member}\\b[^{}]*\\} = app\\b`).test(source)
    const undeclared = [...plugins]
      .filter(([other]) => other !== name && !dependencies.includes(other))
      .flatMap(([other, { provides }]) => provides.filter(used).map((member) => `${member} of ${other}`))
    t.same(undeclared, [])
  })
}

await t.test('every plugin of the folder is looked at', async (t) => {
  t.ok(plugins.size > 20)
  t.same(plugins.get('jwt')?.provides.includes('keyring'), true)
})

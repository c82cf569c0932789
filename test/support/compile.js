import { readdirSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bundle, root } from '../../scripts/bundle.js'

// What tests alone use is loaded as it is, which is faster than to bundle it.
const ofTests = [
  '@apiture/openapi-down-convert',
  'express',
  'fast-check',
  'jose',
  'mailparser',
  'oauth4webapi',
  'openapi-fetch',
  'openapi-typescript',
  'playwright-core',
  'smtp-server',
  'yaml'
]

/**
 * Once for all processes of a run: .tap/compiled/ holds the service as `npm run build` lays it out, and the tests. What both
 * import they share.
 */
export const compile = () =>
  bundle(resolve(root, '.tap/compiled'), {
    entryPoints: [
      ...sourcesIn('test').filter((path) => path.endsWith('.test.ts')),
      ...['after', 'curl', 'start-databases', 'supervisor'].map((name) => `test/support/${name}.ts`)
    ],
    external: ofTests,
    // Also for the examples, which have one of their own: the client is tested as its source.
    tsconfig: resolve(root, 'tsconfig.json'),
    alias: { 'async-hook-domain': resolve(root, 'test/support/untracked.js') },
    sourcemap: 'linked',
    sourcesContent: false,
    plugins: [{ name: 'the place of a test', setup }]
  })

/** @param {string} name */
const sourcesIn = (name) =>
  readdirSync(resolve(root, name), { recursive: true, encoding: 'utf8' }).map((path) => `${name}/${path}`)

/**
 * A test finds what it reads by its own place in the repository.
 * @param {import('esbuild').PluginBuild} build
 */
function setup(build) {
  build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
    if (!path.startsWith(resolve(root, 'test'))) return undefined
    /** @type {Record<string, string>} */
    const place = { url: pathToFileURL(path).href, filename: path, dirname: dirname(path) }
    const placed = (/** @type {string} */ _, /** @type {string} */ name) => JSON.stringify(place[name])
    const contents = readFileSync(path, 'utf8').replaceAll(/\bimport\.meta\.(url|filename|dirname)\b/g, placed)
    return { loader: 'ts', contents }
  })
}

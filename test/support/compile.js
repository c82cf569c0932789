import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = resolve(import.meta.dirname, '../..')
const folder = resolve(root, '.tap/compiled')
const sourceFolders = ['src', 'plugins', 'routes', 'test', 'scripts', 'clients/typescript/src', 'examples/articles/src']

/**
 * Takes the types away once for all processes of a run. The service lies in .tap/compiled/ as `npm run build` would lay it
 * out, with package.json and migrations; its command line, its threads and the tests run from there, on nothing but Node.
 */
export async function compile() {
  rmSync(folder, { recursive: true, force: true })
  await build({
    absWorkingDir: root,
    entryPoints: sourceFolders.flatMap(sourcesIn),
    outdir: folder,
    outbase: root,
    format: 'esm',
    platform: 'node',
    target: 'es2023',
    sourcemap: 'inline',
    sourcesContent: false,
    bundle: true,
    packages: 'external',
    plugins: [{ name: 'one file from one file', setup }]
  })
  for (const path of ['package.json', 'openapi-3.0.json', 'migrations', 'src/mail/templates', 'routes/pages/assets']) {
    cpSync(resolve(root, path), resolve(folder, path), { recursive: true })
  }
}

/** @param {string} name */
const sourcesIn = (name) =>
  readdirSync(resolve(root, name), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => resolve(root, name, path))

/** @param {import('esbuild').PluginBuild} build */
function setup(build) {
  build.onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ path }) => ({
    path: path.replace(/\.ts$/, '.js'),
    external: true
  }))
  // As tsconfig.json's `paths` have it.
  const client = pathToFileURL(resolve(folder, 'clients/typescript/src/index.js')).href
  build.onResolve({ filter: /^gatehouse-client$/ }, () => ({ path: client, external: true }))
  // A test finds what it reads by its own place in the repository.
  build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
    if (!path.startsWith(resolve(root, 'test'))) return undefined
    /** @type {Record<string, string>} */
    const place = { url: pathToFileURL(path).href, filename: path, dirname: dirname(path) }
    const placed = (/** @type {string} */ _, /** @type {string} */ name) => JSON.stringify(place[name])
    const contents = readFileSync(path, 'utf8').replaceAll(/\bimport\.meta\.(url|filename|dirname)\b/g, placed)
    return { loader: 'ts', contents }
  })
}

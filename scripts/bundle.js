import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { build } from 'esbuild'

export const root = resolve(import.meta.dirname, '..')

// What finds files by its own place on the disk, and what is loaded only where a setting asks for it.
const unbundled = [
  '@electric-sql/pglite',
  '@node-rs/*',
  '@zxcvbn-ts/language-common',
  'nodemailer',
  'piscina',
  'prom-client'
]

/**
 * Lays the service out in a folder, to be run from there: its code and its libraries in a few files, which a start reads
 * in a third of the time, and beside them what it reads at run time.
 * @param {string} folder
 * @param {import('esbuild').BuildOptions} [options] more to build beside the service
 */
export async function bundle(folder, { entryPoints = [], external = [], ...options } = {}) {
  rmSync(folder, { recursive: true, force: true })
  const own = ['cli/gatehouse.ts', 'src/passwords/worker.ts']
  const { metafile } = await build({
    absWorkingDir: root,
    metafile: true,
    entryPoints: [...own, .../** @type {string[]} */ (entryPoints)],
    outdir: folder,
    outbase: root,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external: [...unbundled, ...external],
    // Libraries that are CommonJS ask for Node's modules by `require`.
    banner: {
      js: `import { createRequire as requireOf } from 'node:module'\nconst require = requireOf(import.meta.url)`
    },
    ...options
  })
  for (const path of [
    'package.json',
    'openapi.json',
    'openapi-3.0.json',
    'migrations',
    'src/mail/templates',
    'routes/dev/assets',
    'routes/documentation/assets',
    'routes/pages/assets'
  ]) {
    cpSync(resolve(root, path), resolve(folder, path), { recursive: true })
  }
  cpSync(
    resolve(root, 'node_modules/@scalar/fastify-api-reference/dist/js/standalone.js'),
    resolve(folder, 'routes/documentation/assets/scalar.js')
  )
  writeFileSync(resolve(folder, 'licenses.txt'), licensesOf(Object.keys(metafile.inputs)))
}

/**
 * The licences of the packages that files are from, which must go with their code.
 * @param {string[]} files
 */
function licensesOf(files) {
  const folders = new Set(files.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0] ?? []))
  return ['node_modules/@scalar/fastify-api-reference', ...folders]
    .sort()
    .map((path) => {
      const names = readdirSync(resolve(root, path)).filter((name) => /^(licen[cs]e|copying|notice)/i.test(name))
      return [path, ...names.map((name) => readFileSync(resolve(root, path, name), 'utf8'))].join('\n\n')
    })
    .join(`\n\n${'-'.repeat(80)}\n\n`)
}

import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { startServing } from './serving.ts'

// Whether libraries that check access tokens by RFC 9068 accept a user's: express-oauth2-jwt-bearer at its strictest and,
// where python3 is, Authlib; oauth4webapi is tried by the tests. Run it by "npm run check:validators". It fetches the
// libraries, in the versions that are pinned here.
const express = ['express@5.3.0', 'express-oauth2-jwt-bearer@1.10.0']
const authlib = ['authlib==1.6.5', 'cryptography==50.0.2', 'cffi==2.1.1', 'pycparser==3.12']

const issuer = 'https://accounts.example.com'
const audience = 'articles'

const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-validators-'))
const validators = resolve('scripts/validators')
const service = await startServing(
  folder,
  [`--import=${import.meta.resolve('tsx')}`, resolve('cli/gatehouse.ts'), 'serve'],
  {
    ISSUER: issuer,
    AUDIENCE: audience
  }
)
try {
  const target = [service.url, issuer, audience, await accessToken(service.url)]
  await checkExpress(target)
  await checkAuthlib(target)
} finally {
  await service.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function checkExpress(target: string[]): Promise<void> {
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  cpSync(join(validators, 'express.js'), join(folder, 'express.js'))
  await run('npm', ['install', '--silent', '--no-audit', '--no-fund', ...express], { cwd: folder })
  await run(process.execPath, [join(folder, 'express.js'), ...target])
  console.log('express-oauth2-jwt-bearer: accepted')
}

async function checkAuthlib(target: string[]): Promise<void> {
  try {
    await run('python3', ['--version'])
  } catch {
    console.log('Authlib: LEFT OUT, python3 is not here')
    return
  }
  const bin = join(folder, 'python', 'bin')
  await run('python3', ['-m', 'venv', join(folder, 'python')])
  await run(join(bin, 'pip'), ['install', '--quiet', '--disable-pip-version-check', ...authlib])
  await run(join(bin, 'python'), [join(validators, 'authlib_rfc9068.py'), ...target])
  console.log('Authlib: accepted')
}

async function accessToken(url: string): Promise<string> {
  const user = { username: 'reader', email: 'reader@example.com', password: 'a long and quiet evening' }
  await post('/auth/registration', user)
  const { access_token } = (await post('/auth/login', { ...user, email: undefined, transport: 'bearer' })) as {
    access_token: string
  }
  return access_token

  async function post(path: string, body: object): Promise<unknown> {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(`${path} answered ${String(answer.status)}: ${await answer.text()}`)
    return answer.json()
  }
}

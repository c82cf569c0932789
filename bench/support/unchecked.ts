// The built service without its revocation check: what the check costs is the difference.
const built = new URL('../../dist/src/', import.meta.url).href
const { buildApp } = (await import(`${built}app.js`)) as typeof import('../../src/app.ts')
const { readConfig } = (await import(`${built}config.js`)) as typeof import('../../src/config.ts')

const app = await buildApp(readConfig(process.env))
app.revocations.isRevoked = () => false
await app.listen({ host: app.config.host, port: app.config.port })
process.on('SIGTERM', () => void app.close())

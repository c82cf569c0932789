import { buildApp } from '../../app.ts'
import { readConfig } from '../../src/config/config.ts'

// The service from its source, and with REVOCATION_CHECK=off without that check: what it costs is the difference.
const app = await buildApp(readConfig(process.env))
if (process.env.REVOCATION_CHECK === 'off') app.revocations.isRevoked = () => false
await app.listen({ host: app.config.host, port: app.config.port })
process.on('SIGTERM', () => void app.close())

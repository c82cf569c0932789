import { type AddressInfo, createServer } from 'node:net'
import type { Command } from 'commander'
import type { Config } from '../src/config/config.ts'

export function addServe(program: Command, env: NodeJS.ProcessEnv): void {
  program
    .command('serve')
    .description('serve until SIGTERM or SIGINT; brings the database schema up to date first')
    .action(async () => {
      const config = await readWithPort(env)
      const { announceStart, openLogStream } = await import('../plugins/http/log-stream.ts')
      const logStream = await openLogStream(config.production)
      // Before everything else is loaded, which takes its time.
      announceStart(config, logStream)
      const { serve } = await import('../server.ts')
      await serve(config, logStream)
    })
}

/** With PORT=0 the port is chosen here, unless ISSUER says how the service is reached: the issuer and links name the port. */
async function readWithPort(env: NodeJS.ProcessEnv): Promise<Config> {
  const { readConfig } = await import('../src/config/config.ts')
  const config = readConfig(env)
  if (config.port !== 0 || env.ISSUER) return config
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ host: config.host, port: 0 }, resolve)
  })
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return readConfig({ ...env, PORT: String(port) })
}

import { createServer } from 'node:net'
import type { Command } from 'commander'

export function addServe(program: Command, env: NodeJS.ProcessEnv): void {
  program
    .command('serve')
    .description('serve until SIGTERM or SIGINT; brings the database schema up to date first')
    .action(async () => {
      const { readConfig } = await import('../src/config/config.ts')
      const config = readConfig(await withKnownPort(env))
      const { announceStart, openLogStream } = await import('../plugins/http/log-stream.ts')
      const logStream = await openLogStream(config.production)
      // Before everything else is loaded, which takes its time.
      announceStart(config, logStream)
      const { serve } = await import('../server.ts')
      await serve(config, logStream)
    })
}

/** With PORT=0 the port is chosen here, unless ISSUER says how the service is reached: the issuer and links name the port. */
async function withKnownPort(env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  if (env.PORT !== '0' || env.ISSUER) return env
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ host: env.HOST || '127.0.0.1', port: 0 }, resolve)
  })
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return { ...env, PORT: String(port) }
}

import type { Command } from 'commander'

export function addServe(program: Command, env: NodeJS.ProcessEnv): void {
  program
    .command('serve')
    .description('serve until SIGTERM or SIGINT; brings the database schema up to date first')
    .action(async () => {
      const { readConfig } = await import('../src/config/config.ts')
      const config = readConfig(env)
      const { serve } = await import('../server.ts')
      await serve(config)
    })
}

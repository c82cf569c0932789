import type { Command } from 'commander'

export function addOpenapi(program: Command): void {
  program
    .command('openapi')
    .description('print the OpenAPI document')
    .action(async () => {
      const { openapiDocument } = await import('../openapi.ts')
      process.stdout.write(await openapiDocument())
    })
}

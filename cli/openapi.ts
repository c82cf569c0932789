import { Argument, type Command } from 'commander'

export function addOpenapi(program: Command): void {
  program
    .command('openapi')
    .description('print the OpenAPI document')
    .addArgument(new Argument('[version]', 'of OpenAPI').choices(['3.1', '3.0']).default('3.1'))
    .action(async (version: '3.1' | '3.0') => {
      const { openapi30Document, openapiDocument } = await import('./openapi-document.ts')
      process.stdout.write(version === '3.0' ? openapi30Document() : await openapiDocument())
    })
}

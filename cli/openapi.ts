import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Argument, type Command } from 'commander'
import { packageFolder } from '../src/package-folder.ts'

const files = { '3.1': 'openapi.json', '3.0': 'openapi-3.0.json' }

export function addOpenapi(program: Command): void {
  program
    .command('openapi')
    .description('print the OpenAPI document')
    .addArgument(new Argument('[version]', 'of OpenAPI').choices(Object.keys(files)).default('3.1'))
    .action((version: keyof typeof files) => {
      process.stdout.write(readFileSync(join(packageFolder, files[version])))
    })
}

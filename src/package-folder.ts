import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Where package.json lies, and with it the files that are read at run time: the checkout, or the folder of a build,
 * in which code does not lie where its source does.
 */
export const packageFolder = nearest(import.meta.dirname)

/** The version of the package, which is the service's and its document's, too. */
export const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as { version: string }

function nearest(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : nearest(dirname(folder))
}

import { readFileSync } from 'node:fs'
import leven, { closestMatch } from 'leven'

/** The value of a setting, which may stand in a file that NAME_FILE names, such as a secret that a container is given. */
export function readSetting(env: NodeJS.ProcessEnv, name: string): { value?: string; fault?: string } {
  const value = env[name]
  const file = env[fileOf(name)]
  if (!file) return value ? { value } : {}
  if (value) return { fault: `${name} and ${fileOf(name)} are both set: remove one of them` }
  try {
    const content = readFileSync(file, 'utf8').replace(/\r?\n$/, '')
    return content === '' ? { fault: `${fileOf(name)}: the file ${file} is empty` } : { value: content }
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    return { fault: `${fileOf(name)}: the file ${file} cannot be read (${code})` }
  }
}

const fileOf = (name: string) => `${name}_FILE`

// Shorter names are near too many that others use.
const minLength = 8
const maxDistance = 2

/**
 * Names in the environment that are no setting and nearly one, which somebody has misspelt. One with a number at its end
 * is another's, such as DATABASE_URL_2.
 */
export function findMisspelt(env: NodeJS.ProcessEnv, names: string[]): string[] {
  const known = [...names, ...names.map(fileOf)]
  return Object.keys(env)
    .filter((name) => env[name] && name.length >= minLength && !/\d$/.test(name) && !known.includes(name))
    .flatMap((name) => {
      const nearest = closestMatch(name, known) ?? ''
      return leven(name, nearest) <= maxDistance ? [`${name} is no setting: it must be ${nearest}`] : []
    })
}

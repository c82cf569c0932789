import { readFileSync } from 'node:fs'
import leven, { closestMatch } from 'leven'

/** The value of a setting, which may stand in a file that NAME_FILE names, such as a secret that a container is given. */
export function readSetting(env: NodeJS.ProcessEnv, name: string): { value?: string; fault?: string } {
  const value = env[name]
  const file = env[fileOf(name)]
  if (!file) return value ? check(name, value) : {}
  if (value) return { fault: `${name} and ${fileOf(name)} are both set: remove one of them` }
  try {
    const content = readFileSync(file, 'utf8').replace(/\r?\n$/, '')
    return content === '' ? { fault: `${fileOf(name)}: the file ${file} is empty` } : check(fileOf(name), content)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    return { fault: `${fileOf(name)}: the file ${file} cannot be read (${code})` }
  }
}

const maxLength = 8192

function check(name: string, value: string): { value?: string; fault?: string } {
  if (value.length > maxLength) return { fault: `${name} is longer than ${String(maxLength)} characters` }
  return /\p{Cc}/u.test(value) ? { fault: `${name} holds a line break or another control character` } : { value }
}

const fileOf = (name: string) => `${name}_FILE`

/**
 * Names in the environment that are no setting and nearly one, which somebody has misspelt. One with a number at its end
 * is another's, such as DATABASE_URL_2.
 */
export function findMisspelt(env: NodeJS.ProcessEnv, names: string[]): string[] {
  const known = [...names, ...names.map(fileOf)]
  return Object.keys(env)
    .filter((name) => env[name] && !/\d$/.test(name) && !known.includes(name))
    .flatMap((name) => {
      const nearest = closestMatch(name, known)
      return nearest && isMisspelt(name, nearest) ? [`${name} is no setting: it must be ${nearest}`] : []
    })
}

/** The shorter a name is, the more that others use are near to it: POST and HOSTS are no HOST. */
function isMisspelt(name: string, setting: string): boolean {
  const length = Math.min(name.length, setting.length)
  const maxDistance = length >= 8 ? 2 : length >= 5 ? 1 : 0
  const distance = leven(name, setting)
  return distance <= maxDistance || (distance <= 2 && sortLetters(name) === sortLetters(setting))
}

/** A letter that is doubled counts once. */
const sortLetters = (name: string): string => Array.from(name.replaceAll(/(.)\1/g, '$1')).sort().join('')

import { verifySync } from '@node-rs/argon2'
import { type Argon2Cost, beyond, type Scheme } from './scheme.ts'

// KiB, and KiB times passes: about a second of a core.
const maxMemory = 262_144
const maxWork = 1_048_576

const maxLanes = 64

/** How hashes of this service's own begin, at a cost. */
export const argon2Prefix = ({ memoryCost, timeCost, parallelism }: Argon2Cost): string =>
  `$argon2id$v=19$m=${String(memoryCost)},t=${String(timeCost)},p=${String(parallelism)}$`

/** PHC strings of argon2id, argon2i and argon2d, as they are or after Django's `argon2`. */
export const argon2: Scheme = (hash) => {
  const [, phc = '', memory, passes, lanes] =
    /^(?:argon2)?(\$argon2(?:id|i|d)\$(?:v=(?:16|19)\$)?m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,3})\$[A-Za-z0-9+/]{11,128}\$[A-Za-z0-9+/]{22,128})$/.exec(
      hash
    ) ?? []
  if (phc === '') return undefined
  const [memoryCost, timeCost, parallelism] = [Number(memory), Number(passes), Number(lanes)]
  return {
    kind: ['argon2', memoryCost, timeCost, parallelism].join(' '),
    excess(policy) {
      // What the operator asks for is never too much.
      if (memoryCost <= policy.memoryCost && timeCost <= policy.timeCost) return undefined
      return beyond(
        ['argon2 memory in KiB', memoryCost, maxMemory],
        ['argon2 memory in KiB times passes', memoryCost * timeCost, maxWork],
        ['argon2 lanes', parallelism, maxLanes]
      )
    },
    matches: (password) => verifySync(phc, password)
  }
}

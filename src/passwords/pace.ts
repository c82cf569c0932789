/** How long verifications take, so that a failed one can be made to take as long as any other. */
export interface Pace {
  /** @param took milliseconds of computing */
  record: (kind: string, took: number) => void
  knows: (kind: string) => boolean
  /** @returns the milliseconds by which a verification was shorter than one of the costliest kind, as those vary */
  missing: (kind: string, took: number) => number
}

// The latest of each kind, so that they tell of the present load.
const maxRemembered = 15

/** Imports bring a few kinds. */
const maxKinds = 100

export function createPace(random: () => number = Math.random): Pace {
  const kinds = new Map<string, number[]>()
  let costliest: string | undefined

  function find(): string | undefined {
    let [found, most]: [string | undefined, number] = [undefined, -1]
    for (const [kind, times] of kinds) {
      const typical = median(times)
      if (typical > most) [found, most] = [kind, typical]
    }
    return found
  }

  return {
    record(kind, took) {
      const times = kinds.get(kind) ?? []
      if (times.length === 0 && kinds.size >= maxKinds) return
      kinds.set(kind, [...times, took].slice(-maxRemembered))
      costliest = find()
    },
    knows: (kind) => kinds.has(kind),
    missing(kind, took) {
      if (costliest === undefined || kind === costliest) return 0
      const times = kinds.get(costliest) ?? []
      return Math.max(0, (times[Math.floor(random() * times.length)] ?? 0) - took)
    }
  }
}

const median = (times: number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0

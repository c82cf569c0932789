import { Piscina } from 'piscina'

/** Who waits for a hash: a client that has shown a session or a device of its user, or any other. */
export type Caller = 'known' | 'stranger'

type Task = Parameters<Piscina['options']['taskQueue']['push']>[0]

/** A task as the pool takes it, with who waits for it. */
export const queued = <T extends object>(task: T, caller: Caller): T => ({
  ...task,
  [Piscina.queueOptionsSymbol]: { caller }
})

/** Hands out the tasks of known clients first: whatever strangers send, they wait behind one another alone. */
export function createHashQueue() {
  const lanes: Record<Caller, Task[]> = { known: [], stranger: [] }
  const laneOf = (task: Task) => lanes[(task[Piscina.queueOptionsSymbol as never] as { caller: Caller }).caller]

  return {
    get size() {
      return lanes.known.length + lanes.stranger.length
    },
    waiting: (caller: Caller): number => lanes[caller].length,
    shift: () => lanes.known.shift() ?? lanes.stranger.shift() ?? null,
    push(task: Task) {
      laneOf(task).push(task)
    },
    unshift(task: Task) {
      laneOf(task).unshift(task)
    },
    remove(task: Task) {
      const lane = laneOf(task)
      const index = lane.indexOf(task)
      if (index >= 0) lane.splice(index, 1)
    }
  }
}

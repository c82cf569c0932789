import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'

/** Asks until the answer is yes, for at most as long as a human would wait: for what another instance does in its own time. */
export async function eventually(t: Test, what: string, ask: () => Promise<boolean>, seconds = 10): Promise<void> {
  const deadline = performance.now() + seconds * 1000
  while (!(await ask())) {
    if (performance.now() > deadline) {
      t.fail(`${what}: not within ${String(seconds)} s`)
      return
    }
    await delay(5)
  }
  t.pass(what)
}

/** The same for an answer: what another process has changed, an instance is told of after the process has ended. */
export const eventuallyAnswers = (t: Test, status: number, ask: () => Promise<{ status: number }>): Promise<void> =>
  eventually(t, `the answer is ${String(status)}`, async () => (await ask()).status === status)

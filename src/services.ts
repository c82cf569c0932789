import { createMechanisms, type Parts } from './mechanisms.ts'
import * as operations from './operations/index.ts'

type Operations = typeof operations

/** What the service does: an operation a function, without the mechanisms that it is made of. */
export type Services = { [Name in keyof Operations]: ReturnType<Operations[Name]> } & {
  /** Finishes what must not be lost. */
  close: () => Promise<void>
}

/** Puts the operations together: for the server, the command line, the bootstrap and tests alike. */
export function createServices(parts: Parts): Services {
  const mechanisms = createMechanisms(parts)
  const made = Object.entries(operations).map(([name, create]) => [name, create(mechanisms)])
  return { ...(Object.fromEntries(made) as Services), close: () => mechanisms.unanswered.close() }
}

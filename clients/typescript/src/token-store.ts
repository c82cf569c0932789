import type { components } from './generated/openapi.ts'

export type Tokens = components['schemas']['Token']

type Awaitable<T> = T | Promise<T>

/** Where a client by bearer keeps its tokens. Code that can read it can act as the user. */
export interface TokenStore {
  load: () => Awaitable<Tokens | undefined>
  /** Undefined takes away what is kept. */
  save: (tokens: Tokens | undefined) => Awaitable<void>
}

/** Keeps the tokens until the process or the page ends. */
export function memoryStore(tokens?: Tokens): TokenStore {
  return {
    load: () => tokens,
    save: (saved) => {
      tokens = saved
    }
  }
}

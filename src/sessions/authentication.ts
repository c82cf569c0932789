import type { UserRow } from '../repositories/users.ts'

/** How a user proved who they are, in the words of RFC 8176. */
export type AuthenticationMethod = 'pwd'

/** The proof that a session rests on. A session keeps it, and its tokens tell of it. */
export interface SessionProof {
  methods: AuthenticationMethod[]
  /** When, in seconds since the epoch by the database's clock. */
  at: number
}

/** A user who has just proved who they are. A session is started for one, or made fresh by one, and for nobody else. */
export interface Authentication {
  user: UserRow
  methods: AuthenticationMethod[]
}

/** Seconds for which a proof counts as recent. */
export const freshFor = 300

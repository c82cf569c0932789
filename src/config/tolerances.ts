/** Seconds that the clocks of two instances may differ: by so much a token may seem to come from the future. */
export const clockLeeway = 60

/** Seconds by which a transaction may have begun, and stamped its rows, before it commits. */
export const maxTransactionAge = 60

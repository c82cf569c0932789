import { type SQL, sql } from 'drizzle-orm'

// The database's clock decides: those of instances may differ. `now()` is when the transaction began.

export const secondsAhead = (seconds: number | SQL): SQL => sql`now() + make_interval(secs => ${seconds})`

export const secondsAgo = (seconds: number): SQL => sql`now() - make_interval(secs => ${seconds})`

export const daysAhead = (days: number | SQL): SQL => sql`now() + make_interval(days => ${days})`

export const daysAgo = (days: number): SQL => sql`now() - make_interval(days => ${days})`

import { compareTimes } from './support/timing.ts'

// Whether the time of a failed login tells if the user exists.
// Run on a quiet machine: npm run build && npx tsx bench/login-timing.ts [pairs]
await compareTimes((post, { username }) => post('/auth/login', { username, password: 'not the password' }))

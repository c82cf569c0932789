import { setTimeout as delay } from 'node:timers/promises'
import { compareTimes } from './support/timing.ts'

// Whether the time of the answer tells if an address is known to POST /auth/password/forgot.
// Run on a quiet machine: npm run build && npx tsx bench/forgot-timing.ts [pairs]
await compareTimes(async (post, { email }) => {
  const time = await post('/auth/password/forgot', { email })
  // What comes of the request is done by now, and falls to neither.
  await delay(20)
  return time
})

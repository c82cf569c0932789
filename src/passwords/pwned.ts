import { createHash } from 'node:crypto'

/** Whether a password is known to have leaked; no, where that cannot be told. */
export type IsPwned = (password: string) => Promise<boolean>

// Milliseconds: a registration waits no longer for it.
const deadline = 1000

// Bytes. Ranges have some 40 kB, with padding.
const maxAnswer = 256 * 1024

/**
 * Asks a range service of Have I Been Pwned's kind. It learns the first 5 of 40 hexadecimal digits of the password's SHA-1
 * (k-anonymity), and for how many of them it has an entry is hidden by padding.
 * @param onFault is told why a password could not be looked up: it is taken then, for the service must not depend on another
 */
export function createPwnedCheck(url: string, onFault: (error: unknown) => void): IsPwned {
  const base = url.replace(/\/+$/, '')
  return async (password) => {
    const digest = createHash('sha1').update(password).digest('hex').toUpperCase()
    try {
      const range = await fetchRange(`${base}/${digest.slice(0, 5)}`)
      return hasLeaked(range, digest.slice(5))
    } catch (error) {
      onFault(error)
      return false
    }
  }
}

async function fetchRange(url: string): Promise<string> {
  const answer = await fetch(url, {
    headers: { 'add-padding': 'true', 'user-agent': 'gatehouse' },
    redirect: 'error',
    // It holds for the body as well.
    signal: AbortSignal.timeout(deadline)
  })
  if (!answer.ok || answer.body === null) {
    await answer.body?.cancel()
    throw new Error(`It answered ${String(answer.status)}`)
  }
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of answer.body) {
    text += decoder.decode(chunk as Uint8Array, { stream: true })
    if (text.length > maxAnswer) throw new Error('Its answer is too long')
  }
  return text
}

/** Lines are the rest of a digest and how often it was seen; what pads the answer was never seen. */
function hasLeaked(range: string, suffix: string): boolean {
  const line = range.split(/\r?\n/).find((candidate) => candidate.slice(0, suffix.length).toUpperCase() === suffix)
  return line !== undefined && Number(line.slice(suffix.length + 1)) > 0
}

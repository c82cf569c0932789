/**
 * Asks at a fixed rate, whether the answers come or not, until `ends` settles: what waits is not left out of the figures.
 * @returns milliseconds, sorted, and how many were not answered with 200
 */
export async function arrivals(
  { url, headers, perSecond }: { url: string; headers: Record<string, string>; perSecond: number },
  ends: Promise<unknown>
): Promise<{ times: number[]; failed: number }> {
  const times: number[] = []
  const asked: Promise<void>[] = []
  let failed = 0
  const ask = async () => {
    const asked = performance.now()
    const isAnswered = await fetch(url, { headers, signal: AbortSignal.timeout(30_000) }).then(
      async (answer) => {
        await answer.text()
        return answer.status === 200
      },
      () => false
    )
    if (!isAnswered) failed += 1
    times.push(performance.now() - asked)
  }
  const timer = setInterval(() => {
    asked.push(ask())
  }, 1000 / perSecond)
  await ends
  clearInterval(timer)
  await Promise.all(asked)
  return { times: times.sort((a, b) => a - b), failed }
}

export const p99 = (sorted: number[]): number => sorted[Math.floor(sorted.length * 0.99)] ?? NaN

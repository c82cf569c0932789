// Milliseconds between lines where nobody looks on.
const interval = 5000

/** Tells on standard error how far a long command has come: on one line of a terminal, else on a line every few seconds. */
export function createProgress(stream: NodeJS.WriteStream = process.stderr) {
  let shownAt: number | undefined
  let isOnLine = false

  function clear(): void {
    if (isOnLine) stream.write('\r\u001B[K')
    isOnLine = false
  }

  return {
    show(words: string): void {
      if (stream.isTTY) {
        clear()
        stream.write(words)
        isOnLine = true
        return
      }
      shownAt ??= performance.now()
      if (performance.now() - shownAt < interval) return
      stream.write(`${words}\n`)
      shownAt = performance.now()
    },
    /** A line that stays. */
    note(line: string): void {
      clear()
      stream.write(`${line}\n`)
    },
    end: clear
  }
}

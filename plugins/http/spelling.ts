interface Parameters {
  properties?: Record<string, { type?: unknown } | undefined>
}

type Reader = (text: string) => unknown

/**
 * Turns the parameters of a path or a query, which are text, into the integers and booleans that their schema asks for.
 * Each value has one spelling, for `87.0`, `+87` and `0x57` must not be the user 87 that a proxy's rule is about: what is
 * spelled otherwise stays text, and the schema refuses it.
 */
export function readParameters(schema: object): (parameters: unknown) => void {
  const { properties = {} } = schema as Parameters
  const read = Object.entries(properties).flatMap(([name, property]): [string, Reader][] => {
    const reader = readers[String(property?.type)]
    return reader === undefined ? [] : [[name, reader]]
  })
  return (parameters) => {
    for (const [name, reader] of read) {
      const values = parameters as Record<string, unknown>
      const value = values[name]
      if (typeof value === 'string') values[name] = reader(value)
    }
  }
}

const readers: Partial<Record<string, Reader>> = {
  integer: (text) => (/^(?:0|-?[1-9]\d{0,14})$/.test(text) ? Number(text) : text),
  boolean: (text) => (text === 'true' ? true : text === 'false' ? false : text)
}

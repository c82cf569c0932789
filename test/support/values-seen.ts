import type { ApiDocument, Schema } from './api-document.ts'
import type { ApiRequest } from './api-requests.ts'

/** The latest values of each name. */
const most = 8

/**
 * What a service has answered, by the names of its properties, to be sent to it again: requests of random values alone would
 * meet nothing that exists.
 */
export function createValuesSeen(document: ApiDocument) {
  const seen = new Map<string, unknown[]>()

  function keep(value: unknown, name = ''): void {
    if (Array.isArray(value)) for (const item of value) keep(item, name)
    else if (typeof value === 'object' && value !== null)
      for (const [property, inner] of Object.entries(value)) keep(inner, property)
    else if (name !== '' && value !== null) seen.set(name, [value, ...(seen.get(name) ?? [])].slice(0, most))
  }

  /** `user_id` and `user_ids` take an `id`, and `cursor` a `next_cursor`. */
  function known(name: string, schema: Schema): unknown[] {
    const singular = name.replace(/s$/, '')
    const values = [...seen].flatMap(([other, those]) =>
      other === singular || singular.endsWith(`_${other}`) || other.endsWith(`_${singular}`) ? those : []
    )
    const candidates = schema.type === 'array' ? values.map((value) => [value]) : values
    return candidates.filter((value) => document.allows(schema, value))
  }

  return {
    keep,

    /** Puts known values in the place of some, by turns. */
    into(request: ApiRequest, schemas: Record<keyof ApiRequest, Schema | undefined>, turn: number): ApiRequest {
      let count = turn
      const replace = (values: unknown, schema: Schema | undefined) =>
        typeof values !== 'object' || values === null
          ? values
          : Object.fromEntries(
              Object.entries(values).map(([name, value]: [string, unknown]) => {
                const candidates = known(name, document.resolve(schema?.properties?.[name] ?? {}))
                count += 1
                return [name, candidates.length > 0 && count % 3 > 0 ? candidates[count % candidates.length] : value]
              })
            )
      return {
        path: replace(request.path, schemas.path) as Record<string, unknown>,
        query: replace(request.query, schemas.query) as Record<string, unknown>,
        ...('body' in request && { body: replace(request.body, schemas.body) })
      }
    }
  }
}

import fc, { type Arbitrary } from 'fast-check'
import type { ApiDocument, DocumentedOperation, Schema } from './api-document.ts'
import { anything, arbitraryOf } from './arbitrary.ts'

/** What is sent with an operation, by where it goes. */
export interface ApiRequest {
  path: Record<string, unknown>
  query: Record<string, unknown>
  /** Absent where no body is sent. */
  body?: unknown
}

/** What an operation takes, as schemas. */
interface Parts {
  path: Schema
  query: Schema
  body: Schema | undefined
  isBodyRequired: boolean
}

export const json = 'application/json'
export const form = 'application/x-www-form-urlencoded'

const isForm = ({ requestBody }: DocumentedOperation) => requestBody !== undefined && form in requestBody.content

export function partsOf(document: ApiDocument, { parameters = [], requestBody }: DocumentedOperation): Parts {
  const schemaOf = (place: string): Schema => {
    const here = parameters.filter((parameter) => parameter.in === place)
    return {
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(here.map(({ name, schema }) => [name, schema])),
      required: here.filter(({ required = false }) => required).map(({ name }) => name)
    }
  }
  const content = requestBody?.content[json] ?? requestBody?.content[form]
  return {
    path: schemaOf('path'),
    query: schemaOf('query'),
    body: content && document.resolve(content.schema),
    isBodyRequired: requestBody?.required === true
  }
}

/** Every request that the document allows. */
export function allowedRequests(document: ApiDocument, { path, query, body, isBodyRequired }: Parts) {
  return fc
    .tuple(
      arbitraryOf(document, path),
      arbitraryOf(document, query),
      body === undefined ? fc.constant(undefined) : arbitraryOf(document, body),
      isBodyRequired || body === undefined ? fc.constant(body !== undefined) : fc.boolean()
    )
    .map(([path, query, body, isSent]) => ({ path, query, ...(isSent && { body }) }) as ApiRequest)
}

/** Requests of which one value, or the whole body, is one that nobody asked for. */
export function otherRequests(document: ApiDocument, parts: Parts): Arbitrary<ApiRequest> {
  return fc
    .tuple(allowedRequests(document, parts), anything, fc.nat(), fc.string({ minLength: 1, maxLength: 20 }))
    .map(([request, value, place, unknown]) => {
      const names = (schema: Schema | undefined) => Object.keys(schema?.properties ?? {})
      const replacements: ((request: ApiRequest) => ApiRequest)[] = [
        ...names(parts.path).map((name) => (old: ApiRequest) => ({
          ...old,
          path: { ...old.path, [name]: value === '' ? ' ' : value }
        })),
        ...[...names(parts.query), unknown].map((name) => (old: ApiRequest) => ({
          ...old,
          query: { ...old.query, [name]: value }
        })),
        ...[...names(parts.body), unknown].map((name) => (old: ApiRequest) => ({
          ...old,
          body: { ...(old.body as object), [name]: value }
        })),
        (old) => ({ ...old, body: value })
      ]
      return replacements[place % replacements.length]?.(request) ?? request
    })
}

/** Turns a request into what `call` takes. */
export function written(
  method: string,
  template: string,
  operation: DocumentedOperation,
  { path, query, body }: ApiRequest
): { target: `${string} /${string}`; raw?: string; type?: string } {
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value)).toWellFormed()
  const filled = template.replaceAll(/\{(.+?)\}/g, (_match, name: string) =>
    // A segment of dots is no segment to those who make URLs.
    encodeURIComponent(text(path[name])).replaceAll(/^\.+$/g, 'dots')
  )
  const search = new URLSearchParams(
    Object.entries(query).map(([name, value]): [string, string] => [name, text(value)])
  ).toString()
  const target = `${method} ${filled}${search === '' ? '' : `?${search}`}` as `${string} /${string}`
  if (body === undefined || method === 'GET') return { target }
  if (!isForm(operation)) return { target, raw: JSON.stringify(body), type: json }
  const fields = Object.entries(
    (typeof body === 'object' && body !== null ? body : { body }) as Record<string, unknown>
  )
  // Of a list, a form has the name once for each.
  const pairs = fields.flatMap(([name, value]) => [value].flat().map((one): [string, string] => [name, text(one)]))
  return { target, raw: new URLSearchParams(pairs).toString(), type: form }
}

import { call } from './client.ts'
import type { Service } from './service.ts'

/** An operation of the OpenAPI document. */
export interface Operation {
  /** `GET /auth/me`, with the path as the document has it. */
  name: string
  /** The same with every parameter filled in: what can be called. */
  request: `${string} /${string}`
  /** Whether it asks for a token. */
  guarded: boolean
  /** The schema of its body, if it takes one. */
  body: BodySchema | undefined
}

export interface BodySchema {
  properties: Record<string, { type: string | string[] }>
}

interface Documented {
  security?: object[]
  parameters?: { in: string; name: string; schema: { format?: string } }[]
  requestBody?: { content: Record<string, { schema: { $ref: string } }> }
}

interface ApiDocument {
  paths: Record<string, Record<string, Documented>>
  components: { schemas: Record<string, BodySchema> }
}

/** Every operation that the service says it has: what tests go by, so that a new one is tested without being told. */
export async function operationsOf(service: Pick<Service, 'url'>): Promise<Operation[]> {
  const document = (await call(service, 'GET /openapi.json')).body as ApiDocument
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, documented]): Operation => {
      const reference = documented.requestBody?.content['application/json']?.schema.$ref
      return {
        name: `${method.toUpperCase()} ${path}`,
        request: `${method.toUpperCase()} ${filled(path, documented)}` as Operation['request'],
        guarded: isGuarded(documented),
        body: reference === undefined ? undefined : document.components.schemas[reference.split('/').at(-1) ?? '']
      }
    })
  )
}

/** An empty requirement among them makes the others optional. */
const isGuarded = ({ security = [] }: Documented) =>
  security.some((scheme) => 'bearer' in scheme) && security.every((scheme) => Object.keys(scheme).length > 0)

const filled = (path: string, { parameters = [] }: Documented) =>
  parameters
    .filter((parameter) => parameter.in === 'path')
    .reduce(
      (url, { name, schema }) =>
        url.replace(`{${name}}`, schema.format === 'uuid' ? '00000000-0000-4000-8000-000000000000' : '1'),
      path
    )

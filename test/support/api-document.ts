import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { call } from './client.ts'
import type { Service } from './service.ts'

export interface Schema {
  $ref?: string
  type?: string | string[]
  enum?: unknown[]
  examples?: unknown[]
  const?: unknown
  format?: string
  pattern?: string
  'x-normalization'?: string
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  minItems?: number
  maxItems?: number
  uniqueItems?: boolean
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean
}

export interface Parameter {
  in: string
  name: string
  required?: boolean
  schema: Schema
}

export interface DocumentedOperation {
  operationId: string
  security?: Record<string, string[]>[]
  parameters?: Parameter[]
  requestBody?: { required?: boolean; content: Record<string, { schema: Schema }> }
  responses: Partial<Record<string, { description: string; content?: Record<string, { schema: Schema }> }>>
}

/** The OpenAPI document as a client reads it: what it allows to be sent, and what it says will be answered. */
export async function readApiDocument(service: Pick<Service, 'url'>) {
  const document = (await call(service, 'GET /openapi.json')).body as {
    paths: Record<string, Record<string, DocumentedOperation>>
  }
  const ajv = new Ajv2020({ strict: false, validateFormats: true })
  addFormats.default(ajv)
  // What JSON Schema does not know says nothing to a client.
  ajv.addFormat('text', true)
  ajv.addSchema(document, 'document')

  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation }))
  )

  return {
    operations,

    /** The schema that a reference stands for. */
    resolve(schema: Schema): Schema {
      if (schema.$ref === undefined) return schema
      const steps = schema.$ref.replace('#/', '').split('/')
      return steps.reduce<unknown>((part, step) => (part as Record<string, unknown>)[step], document) as Schema
    },

    /** @returns whether a value is one that the schema, which has no references, allows */
    allows: (schema: Schema, value: unknown): boolean => ajv.validate(schema, value),

    /** @returns what is wrong with an answer, or undefined */
    faultOf(
      { method, path }: { method: string; path: string },
      answer: { status: number; headers: Headers; body: unknown; text: string }
    ): string | undefined {
      const declared = document.paths[path]?.[method.toLowerCase()]?.responses[String(answer.status)]
      if (declared === undefined) return 'the status is not declared'
      if (declared.content === undefined) return answer.text === '' ? undefined : 'a body is not declared'
      const type = answer.headers.get('content-type')?.split(';')[0] ?? ''
      if (!(type in declared.content)) return `the content type ${type} is not declared`
      const steps = ['paths', path, method.toLowerCase(), 'responses', String(answer.status), 'content', type, 'schema']
      const pointer = steps.map((step) => encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1')))
      const validate = ajv.getSchema(`document#/${pointer.join('/')}`)
      return validate?.(answer.body) === true ? undefined : `the body is another: ${ajv.errorsText(validate?.errors)}`
    }
  }
}

export type ApiDocument = Awaited<ReturnType<typeof readApiDocument>>

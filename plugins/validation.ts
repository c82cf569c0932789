import { isUtf8 } from 'node:buffer'
import { Ajv, type FuncKeywordDefinition, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import type { FastifyInstance, FastifySchemaCompiler, FastifySchemaValidationError } from 'fastify'
import fp from 'fastify-plugin'
import { type Fault, Problem } from '../src/errors.ts'
import { advice, patterns } from './http/patterns.ts'
import { readParameters } from './http/spelling.ts'

/**
 * Input is refused, not repaired: bodies of another type than JSON in UTF-8, unknown properties, wrong types,
 * text that is not well-formed. Only query strings and path parameters, which are text, are turned into their types.
 * All that is wrong is named at once.
 */
export default fp(
  async function validation(app) {
    app.removeAllContentTypeParsers()
    const parseJson = app.getDefaultJsonParser('error', 'error')
    app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
      if (!isUtf8(body)) {
        done(Problem.validation([{ path: '/body', message: 'must be encoded in UTF-8' }]))
        return
      }
      void parseJson(request, body.toString('utf8'), done)
    })
    app.addHook('preParsing', (request, _reply, payload, done) => {
      const { 'content-type': type, 'content-encoding': encoding } = request.headers
      const { ignoresBody = false, takesForm = false } = request.routeOptions.config
      const expected = takesForm ? isFormInUtf8 : isJsonInUtf8
      const refused = encoding !== undefined || (type !== undefined && !expected.test(type))
      if (refused && !ignoresBody) done(new Problem('unsupported_media_type'))
      else done(null, payload)
    })

    const ajv = createAjv(app)
    app.setValidatorCompiler<object>(({ schema, httpPart }) =>
      onDemand(() => ajv().compile(schema), httpPart === 'body' ? undefined : readParameters(schema))
    )
    app.setSchemaErrorFormatter((errors, part) => Problem.validation(toFaults(errors, part)))
  },
  { name: 'validation', dependencies: ['errors'] }
)

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Takes whatever body comes and never looks at it. */
    ignoresBody?: boolean
    /** Takes a form instead of JSON, as OAuth has it: for scopes that `takeForms`. */
    takesForm?: boolean
  }
}

/** For routes that answer whatever the body is: it is drained unread. */
export function ignoreBodies(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume()
    done(null)
  })
}

/** For routes whose answer does not depend on whether their body can be read: what is no JSON counts as no body. */
export function readBodiesLeniently(scope: FastifyInstance): void {
  ignoreBodies(scope)
  scope.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, JSON.parse(body) as unknown)
    } catch {
      done(null)
    }
  })
}

/** Without the `urn:uuid:` that JSON Schema allows and PostgreSQL does not. */
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

const isFormInUtf8 = /^application\/x-www-form-urlencoded(?: *; *charset="?utf-8"?)?$/i
const isJsonInUtf8 = /^application\/json(?: *; *charset="?utf-8"?)?$/i

/** An Ajv that is made when the first schema asks for it, with the shared schemas that are known by then. */
function createAjv(app: FastifyInstance): () => Ajv {
  let ajv: Ajv | undefined
  return () => {
    if (ajv === undefined) {
      ajv = new Ajv({
        // Its cost is bounded as bodies are: our schemas are small, and none holds a pattern that backtracks.
        allErrors: true,
        coerceTypes: false,
        useDefaults: true,
        removeAdditional: false,
        validateSchema: false,
        keywords: ['example']
      })
      addFormats.default(ajv, ['email', 'date-time', 'int64'])
      ajv.addFormat('uuid', uuid)
      // No pattern of other languages knows lone surrogates.
      ajv.addFormat('text', (value) => value.isWellFormed())
      ajv.addKeyword(normalization)
      for (const schema of Object.values(app.getSchemas())) ajv.addSchema(schema as object)
    }
    return ajv
  }
}

/** The form of Unicode in which a text is meant: it is brought into that before any other rule is applied to it. */
const normalization: FuncKeywordDefinition = {
  keyword: 'x-normalization',
  type: 'string',
  schemaType: 'string',
  before: 'maxLength',
  modifying: true,
  errors: false,
  compile: (form: string) => (text: string, context) => {
    if (context !== undefined)
      (context.parentData as Record<string, unknown>)[context.parentDataProperty] = text.normalize(form)
    return true
  }
}

type Validator = ReturnType<FastifySchemaCompiler<object>>

/**
 * A validator that is compiled when its first input comes: together they would be a sixth of a start.
 * @param read turns text in the input into its types, before it is validated
 */
function onDemand(compile: () => ValidateFunction, read: (data: unknown) => void = () => undefined): Validator {
  let compiled: ValidateFunction | undefined
  const validate: Validator = (data: unknown) => {
    read(data)
    compiled ??= compile()
    const isValid = compiled(data)
    validate.errors = compiled.errors ?? null
    return isValid
  }
  return validate
}

function toFaults(errors: FastifySchemaValidationError[], part: string): Fault[] {
  const faults = errors.map(({ instancePath, keyword, params, message }) => {
    const at = `/${part}${instancePath}`
    if (keyword === 'additionalProperties') {
      return { path: `${at}/${printable(params.additionalProperty)}`, message: 'is not a known property' }
    }
    if (keyword === 'required') return { path: `${at}/${printable(params.missingProperty)}`, message: 'is required' }
    if (keyword === 'format' && params.format === 'text') return { path: at, message: advice[patterns.text] ?? '' }
    if (keyword === 'pattern') return { path: at, message: advice[params.pattern as string] ?? 'is not valid' }
    if (keyword === 'minLength' || keyword === 'maxLength') {
      const bound = `${keyword === 'minLength' ? 'at least' : 'at most'} ${printable(params.limit)}`
      return { path: at, message: `must have ${bound} character${params.limit === 1 ? '' : 's'}` }
    }
    if (keyword === 'format') return { path: at, message: `must be a valid ${printable(params.format)}` }
    if (keyword === 'enum') {
      return { path: at, message: `must be one of ${(params.allowedValues as unknown[]).map(String).join(', ')}` }
    }
    if (keyword === 'type' && params.type === 'integer')
      return { path: at, message: 'must be a whole number, in digits' }
    return { path: at, message: message ?? 'is not valid' }
  })
  // A format and its pattern say the same.
  return [...new Map(faults.map((fault) => [`${fault.path} ${fault.message}`, fault])).values()]
}

/** A property name as the client sent it, bounded and without what could harm a terminal or a log. */
const printable = (name: unknown) =>
  String(name)
    .toWellFormed()
    .replaceAll(/[^\p{L}\p{N}_.$-]/gu, '?')
    .slice(0, 64)

import fastifySwagger from '@fastify/swagger'
import type { FastifyContextConfig, FastifySchema, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import { type Fault, type FieldFault, type ProblemCode, problems } from '../src/errors.ts'
import { version } from '../src/package-folder.ts'
import { cookieNames } from './cookies.ts'
import { pathsIn } from './errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The problems of this operation that its access and its schemas do not tell of already. */
    problems?: ProblemCode[]
    /** What is refused as `validation_failed` for its meaning, although the schema allows it. */
    refuses?: (Fault | FieldFault)[]
    /** A public route that a token says more to: generated clients are to send it. */
    credential?: 'optional'
  }
}

type Responses = Record<string, object>

interface Parameters {
  properties: Record<string, object>
  required?: string[]
}
type Operations = Record<string, { requestBody?: { required: boolean; content: Record<string, { schema: Schema }> } }>

interface Document {
  paths: Record<string, Operations>
  components: { schemas: Record<string, Schema> }
}

interface Schema {
  $ref?: string
  type?: string | string[]
}

/** OpenAPI 3.1 from the schemas that validate, with every problem that an operation can answer. */
export default fp(
  async function openapi(app) {
    await app.register(fastifySwagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'Gatehouse',
          description:
            'Registration, login, sessions and roles. Errors are problem details (RFC 9457) with a stable `code`.',
          version,
          license: { name: 'MIT', url: 'https://opensource.org/license/mit' }
        },
        servers: [{ url: '/', description: 'This service' }],
        tags: [
          { name: 'authentication', description: 'Registration, login, sessions and profile' },
          { name: 'access', description: 'Forward-auth for reverse proxies' },
          {
            name: 'administration',
            description: 'Users, sessions, service clients and audit events, for administrators'
          },
          { name: 'services', description: 'OAuth 2.0 for services: tokens, introspection, revocation' },
          { name: 'keys', description: 'What others need to verify tokens' },
          { name: 'operation', description: 'Health checks' }
        ],
        components: {
          securitySchemes: {
            bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The access token' },
            cookie: {
              type: 'apiKey',
              in: 'cookie',
              name: cookieNames(app.config.cookies.prefix).access,
              description: 'Set by a login from a browser'
            },
            clientSecretBasic: {
              type: 'http',
              scheme: 'basic',
              description:
                'The `client_id` and the `client_secret` of a service, each form-urlencoded (RFC 6749 §2.3.1)'
            }
          }
        }
      },
      refResolver: { buildLocalReference: (schema) => schema.$id as string },
      transform: ({ schema, url, route }) => ({
        schema: describe(schema as FastifySchema | undefined, route.config, route.method),
        url
      }),
      transformObject: (made) =>
        withOptionalBodies((made as unknown as { openapiObject: Document }).openapiObject) as object
    })
  },
  { name: 'openapi', dependencies: ['access', 'config'] }
)

function describe(
  schema: FastifySchema = {},
  config: FastifyContextConfig = {},
  method: RouteOptions['method'] = 'GET'
): FastifySchema {
  const {
    access,
    credential,
    fresh,
    ignoresBody = false,
    isForwardAuth = false,
    limit,
    takesForm = false,
    problems: own = [],
    refuses = [],
    scope
  } = config
  const asksForToken = access !== 'public' && access !== 'service'
  const asksDatabase = (limit !== undefined || access !== 'public') && !isForwardAuth
  const codes = new Set<ProblemCode>([
    ...own,
    ...(ignoresBody || takesForm ? [] : refusalsOfInput),
    ...(schema.body === undefined || takesForm ? [] : (['payload_too_large'] as const)),
    ...(asksForToken ? refusalsOfToken : []),
    ...(fresh === undefined ? [] : (['reauthentication_required'] as const)),
    ...(limit === undefined && access !== 'service' ? [] : (['rate_limited'] as const)),
    ...(asksForToken && method !== 'GET' ? (['cross_origin_refused'] as const) : []),
    ...(asksForToken && access !== 'caller' ? (['permission_denied'] as const) : []),
    ...(asksDatabase ? (['unavailable'] as const) : [])
  ])
  return {
    ...schema,
    ...(scope !== undefined && { description: [schema.description, neededScope(scope)].filter(Boolean).join(' ') }),
    ...(schema.querystring !== undefined && { querystring: withOptionalDefaults(schema.querystring as Parameters) }),
    security: [
      ...(credential === 'optional' ? [{}] : []),
      ...(asksForToken || credential === 'optional' ? [{ bearer: [] }, { cookie: [] }] : []),
      ...(access === 'service' ? [{ clientSecretBasic: [] }] : [])
    ],
    response: {
      ...(schema.response as Responses),
      ...problemResponses(
        [...codes],
        refuses.flatMap((fault) => ('path' in fault ? [fault] : pathsIn(schema, [fault])))
      )
    }
  }
}

const neededScope = (scope: string) => `A service without the role \`admin\` needs the scope \`${scope}\`.`

/** Handlers always see a parameter with a default; callers may leave it out. */
const withOptionalDefaults = ({ required = [], ...schema }: Parameters): Parameters => ({
  ...schema,
  required: required.filter((name) => !('default' in (schema.properties[name] ?? {})))
})

/**
 * JSON Schema has no word for a body that may be absent, and Fastify validates null in its place. OpenAPI has one, and
 * generators make better methods of it than of a body that must be there and may be null.
 */
function withOptionalBodies(document: Document): Document {
  const { schemas } = document.components
  for (const { requestBody } of Object.values(document.paths).flatMap((operations) => Object.values(operations))) {
    for (const { schema } of Object.values(requestBody?.content ?? {})) {
      const name = schema.$ref?.split('/').at(-1) ?? ''
      const { type, ...rest } = schemas[name] ?? {}
      if (requestBody === undefined || !Array.isArray(type)) continue
      requestBody.required = false
      schemas[name] = { ...rest, type: 'object' }
    }
  }
  return document
}

// A content type that is not JSON is refused even where no body is asked for. What is wrong with a form is told in OAuth's
// own words.
const refusalsOfInput = ['validation_failed', 'unsupported_media_type'] as const
const refusalsOfToken = ['not_authenticated', 'token_expired', 'token_invalid', 'token_revoked'] as const

/** The rules that no schema can tell, in the words in which a refusal names them. */
const told = (refuses: Fault[]) =>
  refuses.length === 0
    ? ''
    : [
        '. Also refused, although the schema allows it:\n',
        ...refuses.map(({ path, message }) => `- \`${path}\` ${message}`)
      ].join('\n')

const retryAfter = {
  'retry-after': {
    type: 'integer',
    minimum: 1,
    maximum: 2 ** 31 - 1,
    description: 'Seconds to wait before the next attempt'
  }
}

function problemResponses(codes: ProblemCode[], refuses: Fault[]): Responses {
  const statuses = new Set(codes.map((code) => problems[code].status))
  return Object.fromEntries(
    [...statuses].map((status) => [
      status,
      {
        description: codes
          .filter((code) => problems[code].status === status)
          .map((code) => `\`${code}\`: ${problems[code].detail}${code === 'validation_failed' ? told(refuses) : ''}`)
          .join('\n\n'),
        ...(status === 429 || status === 503 ? { headers: retryAfter } : {}),
        content: { 'application/problem+json': { schema: { $ref: 'Problem#' } } }
      }
    ])
  )
}

import fc from 'fast-check'
import t from 'tap'
import { registerAdmin } from '../support/admin.ts'
import { readApiDocument } from '../support/api-document.ts'
import { allowedRequests, otherRequests, partsOf, written } from '../support/api-requests.ts'
import { call, registerPerson } from '../support/client.ts'
import { basic, createClient, tokenOf } from '../support/service-client.ts'
import { startService } from '../support/service.ts'
import { createValuesSeen } from '../support/values-seen.ts'

// Few requests with each change, always the same; many, and others, by
// `PROPERTY_RUNS=40 PROPERTY_SEED=$RANDOM npx tap -t 600 test/routes/properties.test.ts`.
const runs = Number(process.env.PROPERTY_RUNS ?? 3)
const seed = Number(process.env.PROPERTY_SEED ?? 1)

const service = await startService(t)
const document = await readApiDocument(service)
const seen = createValuesSeen(document)
t.comment(`${String(runs)} requests a caller and an operation, with the seed ${String(seed)}`)

/** Who calls: with credentials for what asks for a token and for what asks for a secret, as long as they are good. */
interface Caller {
  bearer: string
  secret: string
}

const newcomers: Record<string, () => Promise<Caller>> = {
  async user() {
    const { token, ...person } = await registerPerson(service)
    seen.keep(person)
    return { bearer: token, secret: 'Basic bm9ib2R5Om5vdGhpbmc=' }
  },
  async administrator() {
    const { token, ...person } = await registerAdmin(service)
    seen.keep(person)
    return { bearer: token, secret: 'Basic bm9ib2R5Om5vdGhpbmc=' }
  },
  async client() {
    const client = await createClient(service, { isReader: true, isAuthor: true, isAdmin: true })
    return { bearer: await tokenOf(service, client), secret: basic(client) }
  }
}

/** The same caller as long as no request has ended their session, or taken their role away. */
function keeper(name: string) {
  const path = name === 'user' ? '/authz/reader' : '/authz/admin'
  let caller: Caller | undefined
  let isInDoubt = true
  const now = async (): Promise<Caller> => {
    if (isInDoubt) {
      const isGood = caller && (await call(service, `GET ${path}`, { bearer: caller.bearer })).status === 204
      if (!isGood) caller = await newcomers[name]!()
      isInDoubt = false
    }
    return caller!
  }
  /** Something was changed, perhaps the caller. */
  const doubt = () => {
    isInDoubt = true
  }
  return { now, doubt }
}

const callers = Object.keys(newcomers).map((name) => ({ name, ...keeper(name) }))
const succeeded = new Set<string>()

for (const { method, path, operation } of document.operations) {
  const parts = partsOf(document, operation)
  const isFor = (scheme: string) => operation.security?.some((requirement) => scheme in requirement) === true

  await t.test(`${method} ${path} answers everybody as its document says, whatever is sent`, async (t) => {
    const sampling = { numRuns: runs * callers.length, seed }
    const allowed = fc.sample(allowedRequests(document, parts), sampling)
    const others = fc.sample(otherRequests(document, parts), sampling)
    const requests = [
      ...allowed.map((request, turn) => ({ request: () => seen.into(request, parts, turn), isAllowed: true })),
      ...others.map((request) => ({ request: () => request, isAllowed: false }))
    ]
    const faults: unknown[] = []
    for (const [turn, { request, isAllowed }] of requests.entries()) {
      const caller = callers[turn % callers.length]!
      const { bearer, secret } = await caller.now()
      const { target, raw, type } = written(method, path, operation, request())
      const answer = await call(service, target, {
        ...(raw !== undefined && { raw }),
        headers: {
          ...(type !== undefined && { 'content-type': type }),
          ...(isFor('bearer') && { authorization: `Bearer ${bearer}` }),
          ...(isFor('clientSecretBasic') && { authorization: secret })
        }
      })
      if (answer.status < 300) {
        succeeded.add(`${method} ${path}`)
        seen.keep(answer.body)
        // It may have changed any of them.
        if (method !== 'GET') for (const { doubt } of callers) doubt()
      }
      const fault =
        answer.status >= 500
          ? 'the service failed'
          : (document.faultOf({ method, path }, answer) ??
            (isAllowed ? untold(operation.responses[String(answer.status)]?.description, answer) : undefined))
      if (fault !== undefined)
        faults.push({ fault, caller: caller.name, target, raw, status: answer.status, text: answer.text })
    }
    t.same(faults, [])
  })
}

t.ok(succeeded.size > document.operations.length * 0.7, `what could succeed did: ${[...succeeded].sort().join(', ')}`)

/** Of a refusal of what the schema allows: the rule that it names, unless the document tells it. */
function untold(description = '', { status, body }: { status: number; body: unknown }): string | undefined {
  if (status !== 400 && status !== 422) return undefined
  const { errors, error_description } = body as {
    errors?: { path: string; message: string }[]
    error_description?: string
  }
  const rules = errors?.map((fault) => `\`${fault.path}\` ${fault.message}`) ?? [error_description ?? 'no rule']
  const missing = rules.filter((rule) => !description.includes(rule))
  return missing.length === 0 ? undefined : `the document does not tell the rule: ${missing.join('; ')}`
}

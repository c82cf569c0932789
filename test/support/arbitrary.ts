import { isDeepStrictEqual } from 'node:util'
import fc, { type Arbitrary } from 'fast-check'
import type { ApiDocument, Schema } from './api-document.ts'

/** Any value that the document allows: what a client may send who knows nothing else. */
export function arbitraryOf(document: ApiDocument, referring: Schema): Arbitrary<unknown> {
  const schema = document.resolve(referring)
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  const types = [schema.type ?? []].flat()
  const arbitraries = types.map((type) => {
    const arbitrary = ofType[type]
    if (arbitrary === undefined) throw new Error(`Nothing is known of the type ${type}`)
    return arbitrary(document, schema)
  })
  if (arbitraries.length === 0) throw new Error(`A schema without a type: ${JSON.stringify(schema)}`)
  return fc.oneof(...arbitraries)
}

const ofType: Partial<Record<string, (document: ApiDocument, schema: Schema) => Arbitrary<unknown>>> = {
  null: () => fc.constant(null),
  boolean: () => fc.boolean(),
  integer: (_document, { minimum = -(2 ** 31), maximum = 2 ** 31 - 1 }) => fc.integer({ min: minimum, max: maximum }),
  string: arbitraryText,
  array: (document, { items = {}, minItems = 0, maxItems = minItems + 5, uniqueItems = false }) =>
    fc.uniqueArray(arbitraryOf(document, items), {
      minLength: minItems,
      maxLength: Math.min(maxItems, minItems + 5),
      comparator: (one, other) => uniqueItems && isDeepStrictEqual(one, other)
    }),
  object: (document, { properties = {}, required = [], additionalProperties }) =>
    fc
      .tuple(
        fc.record(
          Object.fromEntries(
            Object.entries(properties).map(([name, property]) => [name, arbitraryOf(document, property)])
          )
        ),
        // Each of the optional ones is there in half of the cases.
        fc.subarray(Object.keys(properties).filter((name) => !required.includes(name))),
        additionalProperties === false ? fc.constant({}) : others
      )
      .map(([all, optional, others]) => ({
        ...Object.fromEntries([...required, ...optional].map((name) => [name, (all as Record<string, unknown>)[name]])),
        ...others
      }))
}

/** Properties that a schema does not name, and does not refuse. */
const others = fc.dictionary(
  fc.stringMatching(/^x_[a-z]{1,9}$/),
  fc.oneof(fc.string(), fc.array(fc.string(), { minLength: 2, maxLength: 3 })),
  { maxKeys: 2 }
)

// Longer texts than this are sent only where the schema names their length.
const usualLength = 40
const maxTextLength = 600

function arbitraryText(document: ApiDocument, schema: Schema): Arbitrary<string> {
  const { format, pattern, minLength = 0, maxLength = usualLength } = schema
  const { 'x-normalization': form, ...rest } = schema
  const rules = { ...rest, type: 'string' }
  const lengths = [
    { minLength, maxLength: Math.min(maxLength, minLength + usualLength) },
    ...(maxLength <= maxTextLength ? [{ minLength: maxLength, maxLength }] : [])
  ]
  const free = lengths.flatMap((length) => [
    fc.string({ ...length, unit: 'binary' }),
    fc.string({ ...length, unit: 'grapheme' })
  ])
  const texts =
    format === 'uuid'
      ? [fc.uuid()]
      : format === 'date-time'
        ? [instant]
        : pattern === undefined || format === 'text'
          ? free
          : [fc.stringMatching(new RegExp(pattern, 'u'))]
  if (format === 'email') texts.push(fc.emailAddress())
  // A length is that of the text in its form, which the document names.
  const counted = (text: string) => (form === undefined ? text : text.normalize(form))
  const examples = (schema.examples ?? []).map((example) => fc.constant(example as string))
  return fc.oneof(...texts, ...examples).filter((text) => document.allows(rules, counted(text)))
}

/** RFC 3339, in all its spellings. */
const instant = fc
  .tuple(
    fc.date({ min: new Date('0001-01-02T00:00:00Z'), max: new Date('9999-12-30T00:00:00Z'), noInvalidDate: true }),
    fc.constantFrom('Z', 'z', '+00:00', '-00:00', '+05:30', '-11:45', '+23:59'),
    fc.constantFrom('T', 't'),
    fc.constantFrom('', '.1', '.123', '.123456', '.123456789')
  )
  .map(([date, offset, t, fraction]) => `${date.toISOString().slice(0, 19).replace('T', t)}${fraction}${offset}`)

/** What no schema asks for. */
export const anything: Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.string({ unit: 'binary', maxLength: 50 }),
  fc.constantFrom<unknown>(-1, 0, 1e308, 2 ** 53, 1.5, '', '\u0000', '1e400', [], {}, null, true)
)

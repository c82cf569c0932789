/**
 * The rules for texts that stand in the schemas, and so in the OpenAPI document, as JSON Schema's `pattern`. In words that the
 * regular expressions of other languages have, too: no `\u0000`, no `\p{Cc}`, nothing that backtracks.
 */
export const patterns = {
  text: '^[^\\x00-\\x1F\\x7F-\\x9F]*$',
  username: '^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$',
  email:
    "^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\\.)+[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$",
  token: '^[A-Za-z0-9_-]+$',
  instant:
    '^(?:000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-5][0-9](?:\\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})$'
} as const

/** What to change where a pattern does not hold. */
export const advice: Partial<Record<string, string>> = {
  [patterns.text]: 'must be well-formed Unicode without control characters',
  [patterns.username]: 'must be Latin letters and digits, between them also ".", "_" and "-"',
  [patterns.email]: 'must be a valid email',
  [patterns.token]: 'must be letters, digits, "-" and "_", as it was given out',
  [patterns.instant]: 'must be a moment of the years 1 to 9999, such as 2030-01-31T12:00:00Z'
}

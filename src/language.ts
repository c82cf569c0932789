/** The languages that mails and pages are in. */
export const languages = ['en', 'ru'] as const

export type Language = (typeof languages)[number]

/**
 * The one that an `Accept-Language` header likes best (RFC 9110 §12.5.4).
 * @returns English where it likes none, or both alike
 */
export function languageOf(header = ''): Language {
  const ranges = header.split(',').map((range) => {
    const [tag = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const quality = parameters.find((parameter) => parameter.startsWith('q='))
    return { name: tag.replace(/-.*/s, ''), weight: quality === undefined ? 1 : Number(quality.slice(2)) || 0 }
  })
  const weightOf = (name: string) => {
    const named = ranges.filter((range) => range.name === name)
    const matching = named.length > 0 ? named : ranges.filter((range) => range.name === '*')
    return Math.max(0, ...matching.map(({ weight }) => weight))
  }
  return weightOf('ru') > weightOf('en') ? 'ru' : 'en'
}

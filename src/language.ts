import Negotiator from 'negotiator'

/** The languages that mails and pages are in. */
export const languages = ['en', 'ru'] as const

export type Language = (typeof languages)[number]

// Characters. No browser sends more; 15,000 of them would take 20 ms to read.
const maxLength = 500

/** The language that an `Accept-Language` header prefers (RFC 9110 §12.5.4), and English where it prefers none. */
export function negotiateLanguage(header = ''): Language {
  const headers = { 'accept-language': header.slice(0, maxLength) }
  const preferred = new Negotiator({ headers }).language([...languages])
  return languages.find((language) => language === preferred) ?? 'en'
}

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import Mustache from 'mustache'
import { ConfigError } from '../config/config.ts'
import { packageFolder } from '../package-folder.ts'
import { type Language, languages } from '../language.ts'

// Mails that give an account back to its owner go before other links, and links before notices. The first of them are
// urgent to the job worker: somebody waits to get into their account again.
const security = 0
const link = 1
const notice = 2

export const mailPriorities = [security, link, notice] as const

/** Every mail there is, and the page that its link leads to. */
export const mails = {
  email_verification: { priority: link, page: 'verify-email' },
  password_reset: { priority: security, page: 'reset-password' },
  invitation: { priority: link, page: 'reset-password' },
  unlock: { priority: security, page: 'unlock' },
  password_changed: { priority: notice, page: undefined },
  email_change_requested: { priority: security, page: 'undo-email-change' },
  email_changed: { priority: security, page: 'undo-email-change' },
  email_change_attempt: { priority: notice, page: undefined },
  registration_attempt: { priority: notice, page: undefined }
} as const

export type MailName = keyof typeof mails

type Part = 'subject' | 'text' | 'html'

/** What a template may name. */
export interface MailVariables {
  username: string
  /** The host at which people know the service. */
  service: string
  link?: string
}

const variables = ['username', 'service', 'link']

export type RenderMail = (name: MailName, language: Language, view: MailVariables) => Record<Part, string>

const ownFolder = join(packageFolder, 'src/mail/templates')

/** Around the HTML of every mail; `content` is HTML already. */
const layout = 'layout.html.mustache'

/**
 * Reads every template, a team's own before ours.
 * @throws {ConfigError} naming each of theirs that cannot be used: better at start than when a mail is due
 */
export function readTemplates(teamFolder?: string): RenderMail {
  const own = readFolder(ownFolder)
  const theirs = teamFolder === undefined ? new Map<string, string>() : readFolder(teamFolder)
  const faults = [...theirs].flatMap(([file, template]) =>
    own.has(file) ? findFaults(file, template) : [`${file} is the name of no mail`]
  )
  if (faults.length > 0) throw new ConfigError(faults.map((fault) => `MAIL_TEMPLATES_DIR: ${fault}`))
  const template = (file: string) => theirs.get(file) ?? own.get(file) ?? ''

  return (name, language, view) => {
    const render = (part: Part) => {
      const escape = part === 'html' ? undefined : String
      const file = template(`${language}/${name}.${part}.mustache`)
      return Mustache.render(file, view, undefined, escape && { escape })
    }
    // A line break would begin another header.
    const subject = render('subject')
      .replaceAll(/[\s\p{Cc}]+/gu, ' ')
      .trim()
    const content = render('html')
    return {
      subject,
      text: render('text'),
      html: Mustache.render(template(`${language}/${layout}`), { ...view, language, subject, content })
    }
  }
}

/** The templates of a folder by their path in it. */
function readFolder(folder: string): Map<string, string> {
  if (!existsSync(folder)) throw new ConfigError([`MAIL_TEMPLATES_DIR: there is no folder ${folder}`])
  const files = languages
    .map((language) => join(folder, language))
    .filter((path) => existsSync(path))
    .flatMap((path) =>
      readdirSync(path)
        .sort()
        .map((name) => join(path, name))
    )
    .filter((file) => file.endsWith('.mustache'))
  return new Map(files.map((file) => [relative(folder, file).replaceAll('\\', '/'), readFileSync(file, 'utf8')]))
}

/** What is wrong with a template, in words. */
function findFaults(file: string, template: string): string[] {
  const [, name = ''] = /\/(\w+)\./.exec(file) ?? []
  const isLayout = file.endsWith(layout)
  const known = isLayout ? [...variables, 'language', 'subject', 'content'] : variables
  const needed = isLayout ? ['content'] : isLinked(name) && !file.includes('.subject.') ? ['link'] : []
  let named: string[]
  try {
    named = namesIn(Mustache.parse(template))
  } catch (error) {
    return [`${file} is no Mustache template: ${(error as Error).message}`]
  }
  return [
    ...named
      .filter((one) => !known.includes(one))
      .map((one) => `${file} names {{${one}}}: there is ${known.join(', ')}`),
    ...needed.filter((one) => !named.includes(one)).map((one) => `${file} lacks {{${one}}}`)
  ]
}

const isLinked = (name: string) => (mails as Record<string, { page?: string | undefined }>)[name]?.page !== undefined

/** The names in a parsed template, also those within sections. */
const namesIn = (spans: readonly unknown[]): string[] =>
  (spans as [type: string, name: string, from: number, to: number, inner?: unknown][]).flatMap(
    ([type, name, , , inner]) => (type === 'text' ? [] : [name, ...(Array.isArray(inner) ? namesIn(inner) : [])])
  )

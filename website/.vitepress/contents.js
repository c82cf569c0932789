import { readFileSync } from 'node:fs'
import { posix } from 'node:path'

/**
 * The groups of a page of contents: each `## heading` with the links of its list. The sidebar is made of them, so that a page
 * is named in one place.
 * @param {string} page below docs/
 * @returns {{ text: string, items: { text: string, link: string }[] }[]}
 */
export function readContents(page) {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8')
  return text
    .split(/^## /m)
    .slice(1)
    .map((section) => ({
      text: section.slice(0, section.indexOf('\n')),
      items: [...section.matchAll(/^- \[(.+?)\]\((.+?)\.md\)/gm)].map(([, text = '', target = '']) => ({
        text,
        link: posix.join('/', posix.dirname(page), target.replace(/(^|\/)README$/, '$1'))
      }))
    }))
}

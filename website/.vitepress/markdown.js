import { posix } from 'node:path'

/**
 * Vue takes what stands between {{ and }} for an expression.
 * @param {import('vitepress').MarkdownRenderer} md
 */
export function escapeBraces(md) {
  for (const name of /** @type {const} */ (['text', 'code_inline'])) {
    const render = md.renderer.rules[name]
    md.renderer.rules[name] = (...arguments_) => render(...arguments_).replaceAll('{', '&#123;')
  }
}

/**
 * Links that leave docs/ lead to files of the repository, which are not part of the site: they are shown as their paths.
 * @param {import('vitepress').MarkdownRenderer} md
 */
export function showFilesOfTheRepository(md) {
  md.core.ruler.push('files-of-the-repository', ({ tokens, env }) => {
    for (const { children } of tokens) {
      if (children === null) continue
      let file
      for (const token of children) {
        if (token.type === 'link_open') file = fileOf(token.attrGet('href') ?? '', env.relativePath)
        if (file === undefined) continue
        if (token.type === 'link_open')
          Object.assign(token, {
            tag: 'span',
            attrs: [
              ['class', 'file'],
              ['title', `${file} in the repository`]
            ]
          })
        if (token.type === 'link_close') {
          token.tag = 'span'
          file = undefined
        }
      }
    }
  })
}

/**
 * @param {string} href
 * @param {string} page
 */
function fileOf(href, page) {
  if (/^[a-z]+:|^[/#]/.test(href)) return undefined
  const target = posix.join('docs', posix.dirname(page), href)
  return target.startsWith('docs/') ? undefined : target
}

/**
 * What follows `not run:` behind the language of a block says why no test runs its commands: readers see it, too.
 * @param {import('vitepress').MarkdownRenderer} md
 */
export function showWhatIsNotRun(md) {
  const fence = md.renderer.rules.fence
  md.renderer.rules.fence = (tokens, index, ...rest) => {
    const token = tokens[index]
    const [, language = '', reason] = /^(\w+) not run: (.+)$/.exec(token.info) ?? []
    if (reason === undefined) return fence(tokens, index, ...rest)
    token.info = language
    return `${fence(tokens, index, ...rest)}<p class="not-run">Not run by the tests: ${md.utils.escapeHtml(reason)}</p>`
  }
}

/**
 * On a phone a row of a table becomes a block, in which each cell says what column it is of.
 * @param {import('vitepress').MarkdownRenderer} md
 */
export function labelCells(md) {
  md.core.ruler.push('labels-of-cells', ({ tokens }) => {
    let labels = []
    let column = 0
    for (const [index, token] of tokens.entries()) {
      if (token.type === 'thead_open') labels = []
      if (token.type === 'tr_open') column = 0
      if (token.type === 'th_open') labels.push(tokens[index + 1].content.replaceAll(/[`*]/g, ''))
      if (token.type === 'td_open') token.attrSet('data-label', labels[column++] ?? '')
    }
  })
}

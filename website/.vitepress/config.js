import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitepress'
import { readContents } from './contents.js'
import { escapeBraces, labelCells, showFilesOfTheRepository, showWhatIsNotRun } from './markdown.js'
import { addPolicy } from './policy.js'

const contents = readContents('index.md')
const decisions = readContents('decisions/README.md')

/** A gate between two towers. */
const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#6b74c8" d="M1 2h1v1h1V2h1v1h1V2h1v4h4V2h1v1h1V2h1v1h1V2h1v13h-5v-3a2 2 0 0 0-4 0v3H1z"/></svg>'

export default defineConfig({
  title: 'Gatehouse',
  description: 'Authentication and roles on PostgreSQL',
  lang: 'en',
  // Not the repository: the development server offers whatever lies there, keys among it.
  srcDir: '../docs',
  outDir: 'dist',
  // The pages lie beside node_modules, not below.
  vite: { resolve: { alias: { vue: fileURLToPath(new URL('../node_modules/vue', import.meta.url)) } } },
  rewrites: { 'decisions/README.md': 'decisions/index.md' },
  markdown: {
    // The documents are Markdown, not templates: neither tags nor {{ }} mean anything in them.
    html: false,
    config(md) {
      escapeBraces(md)
      labelCells(md)
      showFilesOfTheRepository(md)
      showWhatIsNotRun(md)
    }
  },
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: `data:image/svg+xml,${encodeURIComponent(icon)}` }]],
  transformHtml: addPolicy,
  themeConfig: {
    nav: contents.map(({ text, items: [first] }) => ({ text, link: first.link })),
    sidebar: {
      '/': contents,
      '/decisions/': [{ text: 'Why', items: [{ text: 'All decisions', link: '/decisions/' }] }, ...decisions]
    },
    outline: [2, 3],
    search: { provider: 'local' },
    externalLinkIcon: true,
    docFooter: { prev: 'Before', next: 'Next' }
  }
})

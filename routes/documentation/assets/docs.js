// Only the page says this: in the document, which generators and proxies read, there is no page to try things on.
const invitation = `

**Try it here.** Register, log in, and call \`GET /authz/reader\` (204) and \`GET /authz/author\` (403, until you are an author).
The login leaves a cookie in your browser, which later requests from this page carry: leave *Authentication* as it is.

The cookie is \`Secure\`. Chromium and Firefox keep it over https and on localhost; Safari over https alone:
log in with \`"transport": "bearer"\` there, and paste the \`access_token\` under *Authentication*.`

const answer = await fetch('openapi.json')
const content = await answer.json()
content.info.description += invitation
// A browser sends its cookie by itself: with no scheme selected, no empty token goes along, which would be refused.
for (const operation of Object.values(content.paths).flatMap(Object.values)) operation.security?.unshift({})
document.querySelector('#reference').replaceChildren()
Scalar.createApiReference('#reference', {
  content,
  // Everything comes from this service.
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  showDeveloperTools: 'never',
  documentDownloadType: 'none',
  agent: { disabled: true },
  mcp: { disabled: true },
  persistAuth: false,
  defaultOpenFirstTag: true,
  defaultHttpClient: { targetKey: 'shell', clientKey: 'curl' }
})

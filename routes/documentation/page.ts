/**
 * The page on which the OpenAPI document is read and tried. Its addresses have no leading slash: a proxy may serve the
 * service under a path.
 */
export const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Gatehouse API</title>
    <link rel="icon" type="image/svg+xml" href="docs/favicon.svg">
    <script src="docs/scalar.js" defer></script>
    <script src="docs/docs.js" type="module"></script>
  </head>
  <body>
    <noscript>This page needs JavaScript. The document that it shows is <a href="openapi.json">openapi.json</a>.</noscript>
    <main id="reference">Loading the API reference…</main>
  </body>
</html>
`

/** A gate between two towers. */
export const favicon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#3b4151" d="M1 2h1v1h1V2h1v1h1V2h1v4h4V2h1v1h1V2h1v1h1V2h1v13h-5v-3a2 2 0 0 0-4 0v3H1z"/></svg>'

/**
 * What the page may load and call: this service. Scalar puts its styles into the page, so styles may stand inline;
 * scripts may not.
 */
export const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

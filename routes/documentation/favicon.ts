/** A gate between two towers. */
export const favicon = {
  filename: 'favicon.svg',
  rel: 'icon',
  type: 'image/svg+xml',
  sizes: 'any',
  content:
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#3b4151" d="M1 2h1v1h1V2h1v1h1V2h1v4h4V2h1v1h1V2h1v1h1V2h1v13h-5v-3a2 2 0 0 0-4 0v3H1z"/></svg>'
}

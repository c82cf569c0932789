/** Documents with commands, below docs/: those that start all that they need. */
export const complete = ['first-hour.md', 'guides/proxy.md', 'guides/browser-application.md', 'guides/production.md']

/** Those for readers who have a service on PostgreSQL. */
export const onService = [
  'errors.md',
  'http-api.md',
  'keys.md',
  'administration.md',
  'service-to-service.md',
  'import.md',
  'guides/verify-tokens.md',
  'guides/mail-in-development.md',
  'guides/leaked-key.md',
  'guides/locked-out.md'
]

/** Those whose commands are run elsewhere, and where. */
export const elsewhere: Record<string, string> = {
  'cli.md': 'test/docs/cli.test.ts',
  'clients.md': 'scripts/check-generators.ts',
  'moving-from-the-tutorial.md': 'test/docs/moving-from-the-tutorial.test.ts'
}

import fp from 'fastify-plugin'
import { type Config, ConfigError } from '../src/config/config.ts'
import { findingsOfFiles } from '../src/keys/file-permissions.ts'

declare module 'fastify' {
  interface FastifyInstance {
    config: Config
  }
}

/** The settings. What is unsafe about them and about the files is refused or told before anything is opened. */
export default fp<{ config: Config }>(
  async function configPlugin(app, { config }) {
    const findings = [...config.warnings, ...findingsOfFiles(config)]
    const refused = findings.filter(({ level }) => level === 'refuse')
    if (refused.length > 0) throw new ConfigError(refused.map(({ message }) => message))
    for (const { message } of findings) app.log.warn(message)
    app.decorate('config', config)
  },
  { name: 'config' }
)

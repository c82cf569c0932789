import fp from 'fastify-plugin'
import { ConfigError } from '../src/config/config.ts'
import { findingsOfFiles } from '../src/keys/file-permissions.ts'

/** What is unsafe about the settings and the files is refused or told before anything is opened. */
export default fp(
  async function checks(app) {
    const findings = [...app.config.warnings, ...findingsOfFiles(app.config)]
    const refused = findings.filter(({ level }) => level === 'refuse')
    if (refused.length > 0) throw new ConfigError(refused.map(({ message }) => message))
    for (const { message } of findings) app.log.warn(message)
  },
  { name: 'checks', dependencies: ['config'] }
)

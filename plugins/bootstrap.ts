import fp from 'fastify-plugin'
import { bootstrap } from '../src/bootstrap.ts'

export default fp(
  async function bootstrapPlugin(app) {
    const done = await bootstrap(app.config, app.database, app.passwords)
    if (done.migrations > 0) app.log.info({ migrations: done.migrations }, 'database schema brought up to date')
    if (done.generatedKeys.length > 0) app.log.info({ kids: done.generatedKeys }, 'keys generated')
    if (done.bootstrappedAdmin !== undefined) app.log.info('administrator created from the environment')
  },
  { name: 'bootstrap', dependencies: ['config', 'database', 'passwords'] }
)

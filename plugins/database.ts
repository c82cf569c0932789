import fp from 'fastify-plugin'
import type { Database } from '../src/database/database.ts'
import { openDatabase } from '../src/database/open.ts'

declare module 'fastify' {
  interface FastifyInstance {
    database: Database
  }
}

export default fp(
  async function database(app) {
    const opened = await openDatabase(app.config.database)
    app.decorate('database', opened)
    app.addHook('onClose', () => opened.close())
  },
  { name: 'database', dependencies: ['config'] }
)

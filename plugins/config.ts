import fp from 'fastify-plugin'
import type { Config } from '../src/config/config.ts'

declare module 'fastify' {
  interface FastifyInstance {
    config: Config
  }
}

export default fp<{ config: Config }>(
  async function config(app, options) {
    app.decorate('config', options.config)
  },
  { name: 'config' }
)

import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    lifecycle: { stopping: boolean }
  }
}

/** While the service stops it still answers, says that it is not ready, and asks clients to connect elsewhere. */
export default fp(
  async function lifecycle(app) {
    const state = { stopping: false }
    app.decorate('lifecycle', state)
    app.addHook('onRequest', (_request, reply, done) => {
      if (state.stopping) reply.header('connection', 'close')
      done()
    })
  },
  { name: 'lifecycle' }
)

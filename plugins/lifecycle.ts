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
    // As the answer leaves: one that was in flight when the service began to stop would keep its connection open.
    app.addHook('onSend', (_request, reply, payload, done) => {
      if (state.stopping) reply.header('connection', 'close')
      done(null, payload)
    })
  },
  { name: 'lifecycle' }
)

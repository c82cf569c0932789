import Fastify from 'fastify'

// The yardstick: what Fastify does with a route that only answers.
const app = Fastify()
app.get('/', { schema: { response: { 200: { type: 'object', properties: { hello: { type: 'string' } } } } } }, () => ({
  hello: 'world'
}))
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })

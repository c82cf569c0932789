import { type Serializer, type SerializerFactory, SerializerSelector } from '@fastify/fast-json-stringify-compiler'

/**
 * Fastify's serializers, each compiled when its first answer is due: together they would be a sixth of a start.
 * Answers hold what their schema names and nothing else, as with Fastify's own factory.
 */
export function serializersOnDemand(): SerializerFactory {
  const factory = SerializerSelector()
  return (schemas, options) => {
    const compile = factory(schemas, options)
    return (route) => {
      let serialize: Serializer | undefined
      return (body) => (serialize ??= compile(route))(body)
    }
  }
}

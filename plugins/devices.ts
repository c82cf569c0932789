import fp from 'fastify-plugin'
import { createDeviceTokens, type DeviceTokens } from '../src/tokens/device-token.ts'

declare module 'fastify' {
  interface FastifyInstance {
    devices: DeviceTokens
  }
}

/** Knows the devices of users again, whether a session lives there or not. */
export default fp(
  async function devices(app) {
    app.decorate('devices', createDeviceTokens(app.keyring))
  },
  { name: 'devices', dependencies: ['jwt'] }
)

import { generateKeyPairSync } from 'node:crypto'
import type { Server } from 'node:http'

// oidc-provider, the widest used OAuth server for Node.js, with all its state in memory and the same kind of key.
// It has no types of its own.
interface Provider {
  listen: (port: number, host: string) => Server
}
const library = ['oidc', 'provider'].join('-')
const { default: Provider } = (await import(library)) as {
  default: new (issuer: string, configuration: object) => Provider
}

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const port = Number(process.env.PORT)
const provider = new Provider(`http://127.0.0.1:${String(port)}`, {
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256' }] },
  clients: [
    {
      client_id: 'bench',
      client_secret: 'bench-secret',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      id_token_signed_response_alg: 'ES256'
    }
  ],
  scopes: ['reader', 'author', 'admin'],
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    // A token for a resource is a JWT, one for none is opaque: only those may be introspected there.
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({
        scope: 'reader author admin',
        audience: 'gatehouse',
        accessTokenTTL: 900,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'ES256' } }
      })
    }
  }
})
provider.listen(port, '127.0.0.1')

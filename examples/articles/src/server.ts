import { createServiceClient } from 'gatehouse-client'
import { buildArticles } from './app.ts'

const {
  GATEHOUSE_URL: url = 'http://127.0.0.1:3000',
  GATEHOUSE_ISSUER: issuer = url,
  GATEHOUSE_AUDIENCE: audience = 'gatehouse',
  GATEHOUSE_CLIENT_ID: clientId = '',
  GATEHOUSE_CLIENT_SECRET: clientSecret = '',
  PORT: port = '4000'
} = process.env

const app = buildArticles({
  access: { url, issuer, audience },
  gatehouse: createServiceClient({ baseUrl: url, clientId, clientSecret, scope: 'admin' })
})
console.log(`Articles at ${await app.listen({ host: '127.0.0.1', port: Number(port) })}`)

import { buildApp } from './app.ts'

const { ISSUER: issuer = 'http://127.0.0.1:3000', AUDIENCE: audience = 'gatehouse', PORT: port = '4000' } = process.env

const app = await buildApp({ issuer, audience })
console.log(`Articles at ${await app.listen({ host: '127.0.0.1', port: Number(port) })}`)

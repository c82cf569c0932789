import { buildApp } from './app.ts'

const { ISSUER: issuer = 'http://127.0.0.1:3000', AUDIENCE: audience = 'gatehouse', PORT: port = '4001' } = process.env

buildApp({ issuer, audience }).listen(Number(port), '127.0.0.1', () => {
  console.log(`Articles at http://127.0.0.1:${port}`)
})

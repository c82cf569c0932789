// An API on Express whose tokens express-oauth2-jwt-bearer checks, at its strictest.
import express from 'express'
import { auth } from 'express-oauth2-jwt-bearer'

const [url, issuer, audience, token] = process.argv.slice(2)
const app = express()
const jwksUri = `${url}/.well-known/jwks.json`
app.get('/', auth({ issuer, audience, jwksUri, tokenSigningAlg: 'ES256', strict: true }), (request, response) => {
  response.json(request.auth.payload)
})
app.use((error, _request, response, _next) => response.status(error.status).send(error.message))

const server = app.listen(0, '127.0.0.1', async () => {
  const ask = async (token) => {
    const headers = { authorization: `Bearer ${token}` }
    const answer = await fetch(`http://127.0.0.1:${server.address().port}`, { headers })
    return `${answer.status} ${await answer.text()}`
  }
  const [right, forged] = [await ask(token), await ask(`${token.slice(0, -8)}AAAAAAAA`)]
  server.close()
  if (!right.startsWith('200') || !forged.startsWith('401')) throw new Error(`${right}\n${forged}`)
})

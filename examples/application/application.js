// An application that leaves login and roles to a proxy and Gatehouse: it shows what has reached it.
import { createServer } from 'node:http'
import process from 'node:process'

const server = createServer((request, response) => {
  request.resume()
  const { headers, method, url } = request
  const caller = {
    id: headers['x-auth-request-user'],
    username: headers['x-auth-request-preferred-username'],
    roles: headers['x-auth-request-groups']?.toString().split(',') ?? []
  }
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'private, no-store' })
  response.end(JSON.stringify({ method, path: url, caller, headers }, null, 2) + '\n')
})

// On loopback: a caller who reached it without the proxy could pass as any user.
const { PORT = '8000' } = process.env
server.listen(Number(PORT), '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${PORT}\n`)
})

// Says what has reached it: in the place of an application of yours.
import { createServer } from 'node:http'

createServer((request, response) => {
  response.setHeader('content-type', 'application/json')
  response.end(`${JSON.stringify({ path: request.url, headers: request.headers }, null, 2)}\n`)
}).listen(8000, '127.0.0.1')

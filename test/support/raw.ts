import { connect } from 'node:net'
import type { Service } from './service.ts'

/** Sends bytes that no HTTP library would, and reads until the server closes the connection. */
export function exchange(service: Pick<Service, 'url'>, ...lines: string[]): Promise<string> {
  const { hostname, port } = new URL(service.url)
  return new Promise((resolve, reject) => {
    let received = ''
    const socket = connect(Number(port), hostname, () => socket.write(lines.join('\r\n')))
    socket.on('data', (chunk) => (received += chunk.toString('latin1')))
    socket.once('error', reject).once('close', () => {
      resolve(received)
    })
  })
}

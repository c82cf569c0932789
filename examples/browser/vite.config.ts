import process from 'node:process'
import { defineConfig } from 'vite'

const { GATEHOUSE_URL: target = 'http://127.0.0.1:3000', PORT: port = '5173' } = process.env

// Page and Gatehouse are one origin, as behind a reverse proxy in production: cookies need no CORS, and are SameSite.
export default defineConfig({
  server: {
    host: '127.0.0.1',
    port: Number(port),
    strictPort: true,
    proxy: { '/auth': { target } },
    // Else Vite serves whatever lies in the workspace, Gatehouse's keys and data among it.
    fs: { allow: ['.', '../../clients/typescript/dist'] }
  }
})

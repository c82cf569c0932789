import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { readShared, sharedFile } from './postgres-server.ts'

process.kill(readShared().supervisor, 'SIGTERM')
while (existsSync(sharedFile)) await delay(50)

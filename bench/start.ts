import { setTimeout as delay } from 'node:timers/promises'
import { spread } from './support/load.ts'
import { makeKeys, processorTime, residentMemory, startBuilt, startDatabase } from './support/service.ts'

// Goal 10: from the start of the process to the first 200 of /health/ready, on PostgreSQL with the schema in place,
// the processor time that took, and the memory of a service that has nothing to do.
const rounds = Number(process.argv[2] ?? 10)

const database = await startDatabase()
const settings = { DATABASE_URL: database.url, KEYS_DIR: await makeKeys() }
await (await startBuilt(settings)).stop()

const ready: number[] = []
const processor: number[] = []
const memory: number[] = []
for (let round = 0; round < rounds; round++) {
  const service = await startBuilt(settings)
  ready.push(service.readyAfter)
  processor.push(processorTime(service.process.pid!) * 1000)
  await delay(2000)
  memory.push(residentMemory(service.process.pid!))
  await service.stop()
}
console.log(`ready after ${spread(ready)} ms, ${spread(processor)} ms of CPU; resident ${spread(memory)} MiB when idle`)
await database.stop()

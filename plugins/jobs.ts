import fp from 'fastify-plugin'
import { requestKinds } from '../src/email-links/requests.ts'
import { createJobWorker, type JobWorker } from '../src/jobs/worker.ts'
import { adoptOutbox } from '../src/repositories/outbox.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Work after the answer. Plugins register a handler for each kind of job; `notify` when a job was committed. */
    jobs: Pick<JobWorker, 'handle' | 'notify' | 'whenIdle'>
  }
}

export default fp(
  async function jobs(app) {
    const { db } = app.database
    const outcomes = app.metrics.counter({
      name: 'gatehouse_jobs_total',
      help: 'Jobs by kind and by what became of them',
      labelNames: ['kind', 'outcome']
    })
    const worker = createJobWorker({
      db,
      count: (kind, outcome) => {
        outcomes.inc({ kind, outcome })
      },
      report: (level, what, message) => {
        app.log[level](what, message)
      }
    })
    app.decorate('jobs', worker)
    app.addHook('onReady', async () => {
      await adoptOutbox(db, requestKinds)
      worker.start()
    })
    app.addHook('onClose', () => worker.close())
  },
  { name: 'jobs', dependencies: ['database', 'bootstrap', 'metrics'] }
)

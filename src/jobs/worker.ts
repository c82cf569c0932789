import { setTimeout as delay } from 'node:timers/promises'
import type { Db } from '../database/database.ts'
import {
  type ClaimedJob,
  claimJob,
  deleteJob,
  type Job,
  type Lane,
  postponeJob,
  renewLease
} from '../repositories/jobs.ts'

/** How jobs of a kind are done. */
export interface JobHandler {
  /** Those that its jobs have. */
  priorities: readonly number[]
  /**
   * Seconds for which no other instance takes the job. The lease of a job that is performed is renewed, so that it can be
   * short: what a lost instance has left is soon another's.
   */
  lease: number
  /**
   * Exactly once, and on the database alone: in the transaction that deletes the job.
   * Either this or `perform`.
   */
  transact?: (tx: Db, job: Job) => Promise<void>
  /**
   * At least once: a job is performed twice only if the process or the database is lost between this and the deletion.
   * @throws {JobRefused} where it never will succeed; after any other error it is tried again, later each time
   */
  perform?: (job: Job, signal: AbortSignal) => Promise<void>
  /** Runs in the transaction that deletes a refused job. */
  onRefused?: (tx: Db, job: Job, error: unknown) => Promise<void>
  /** What the log says of a job beside its id: nothing secret. */
  describe?: (job: Job, error?: unknown) => object
}

/** The job can never succeed. */
export class JobRefused extends Error {}

/** A job that is tried again is `postponed`, whatever becomes of it later. */
export type JobOutcome = 'done' | 'expired' | 'refused' | 'postponed'

export interface JobWorkerOptions {
  db: Db
  report: (level: 'info' | 'warn', what: object, message: string) => void
  /** Counts what became of a job that left the hands of a handler. */
  count: (kind: string, outcome: JobOutcome) => void
}

export type JobWorker = ReturnType<typeof createJobWorker>

// Milliseconds.
const pollInterval = 1000
const deadline = 60_000
const closeDeadline = 4000
const retryInterval = 1000
const renewInterval = 3000

// Seconds.
const maxDelay = 15 * 60
const backOff = (attempts: number) => Math.min(2 ** (attempts - 1), maxDelay)

/** Jobs at once. Those beside the common ones are for urgent jobs, which slow ones must not hold up. */
const maxAtOnce = { common: 4, urgent: 2 }

/** Whether a job goes before all others, and has workers of its own. */
export const isUrgent = (priority: number): boolean => priority <= 0

/** Does the jobs of the kinds that have a handler: at once when it is notified, and every second what others have left. */
export function createJobWorker({ db, report, count }: JobWorkerOptions) {
  const handlers = new Map<string, JobHandler>()
  let lanes: { all: Lane[]; urgent: Lane[] } = { all: [], urgent: [] }
  const stop = new AbortController()
  const running = new Set<Promise<void>>()
  let common = 0
  let state: 'new' | 'started' | 'closing' = 'new'
  let isFailing = false
  let polling: NodeJS.Timeout | undefined
  let onIdle: () => Promise<void> = async () => undefined

  function notify(): void {
    // The answer to the request that notifies goes first.
    setImmediate(() => {
      if (state !== 'started' || running.size >= maxAtOnce.common + maxAtOnce.urgent) return
      const isCommon = common < maxAtOnce.common
      if (isCommon) common += 1
      const work = doJobs(isCommon ? lanes.all : lanes.urgent)
        .then(recovered, failed)
        .finally(() => {
          if (isCommon) common -= 1
          running.delete(work)
        })
      running.add(work)
    })
  }

  /** One job after the other, until none is due. Each that finds one wakes another to help. */
  async function doJobs(among: Lane[]): Promise<void> {
    while (state === 'started') {
      const job = await claimJob(db, among)
      if (job === undefined) break
      notify()
      await doJob(job)
    }
    await onIdle()
  }

  async function doJob(job: ClaimedJob): Promise<void> {
    const handler = handlers.get(job.kind)
    if (handler === undefined) return
    const { transact, perform, describe = () => ({}) } = handler
    if (transact !== undefined) {
      await db.transaction(async (tx) => {
        if (await deleteJob(tx, job.id)) await transact(tx, job)
      })
      count(job.kind, 'done')
    } else if (job.isExpired) {
      await deleteJob(db, job.id)
      count(job.kind, 'expired')
      report('warn', { id: job.id, ...describe(job) }, `${job.kind} given up: its link has expired`)
    } else if (perform !== undefined) {
      await performJob(job, handler, perform)
    }
  }

  async function performJob(job: Job, handler: JobHandler, perform: NonNullable<JobHandler['perform']>): Promise<void> {
    const { id, kind, attempts } = job
    const { lease, describe = () => ({}) } = handler
    const endLease = keepLease(job, lease)
    try {
      await perform(job, AbortSignal.any([stop.signal, AbortSignal.timeout(deadline)]))
    } catch (error) {
      await endLease()
      if (error instanceof JobRefused) {
        await refuse(job, handler, error.cause)
        count(kind, 'refused')
        report('warn', { id, ...describe(job, error.cause) }, `${kind} given up: the server refuses it`)
      } else {
        const wait = backOff(attempts)
        await postponeJob(db, id, wait)
        count(kind, 'postponed')
        report('warn', { id, attempts, ...describe(job, error), retry_in: wait }, `${kind} not sent`)
      }
      return
    }
    await endLease()
    await remove(id)
    count(kind, 'done')
    report('info', { id, ...describe(job) }, `${kind} sent`)
  }

  /** @returns what ends the renewals */
  function keepLease(job: Job, lease: number): () => Promise<void> {
    let renewal = Promise.resolve()
    const timer = setInterval(() => {
      // Without the database nobody else can take it either.
      renewal = renewLease(db, job, lease).catch(() => undefined)
    }, renewInterval)
    return () => {
      clearInterval(timer)
      return renewal
    }
  }

  async function refuse(job: Job, { onRefused }: JobHandler, error: unknown): Promise<void> {
    await db.transaction(async (tx) => {
      if (await deleteJob(tx, job.id)) await onRefused?.(tx, job, error)
    })
  }

  /** A job that was performed must not stay, even if the database is out of reach just now. */
  async function remove(id: number): Promise<void> {
    for (;;) {
      try {
        await deleteJob(db, id)
        return
      } catch (error) {
        if (state === 'closing') throw error
        await delay(retryInterval, undefined, { ref: false })
      }
    }
  }

  function recovered(): void {
    isFailing = false
  }

  function failed(error: unknown): void {
    if (!isFailing) report('warn', { err: error }, 'jobs cannot be read from the database: retrying')
    isFailing = true
  }

  return {
    /** Registers how jobs of a kind are done; jobs of a kind without a handler wait. */
    handle(kind: string, handler: JobHandler): void {
      handlers.set(kind, handler)
      const all = [...handlers]
        .flatMap(([kind, { priorities, lease }]) => priorities.map((priority): Lane => ({ kind, priority, lease })))
        .sort((a, b) => a.priority - b.priority)
      lanes = { all, urgent: all.filter(({ priority }) => isUrgent(priority)) }
    },

    /** Registers what is called whenever a worker finds no job that is due. */
    whenIdle(work: () => Promise<void>): void {
      onIdle = work
    },

    start(): void {
      state = 'started'
      polling = setInterval(notify, pollInterval).unref()
      notify()
    },

    /** Looks for jobs now rather than with the next poll: one was committed. */
    notify,

    /** Begins no further job, and waits for those that are under way. */
    async close(): Promise<void> {
      state = 'closing'
      clearInterval(polling)
      const late = setTimeout(() => {
        stop.abort()
      }, closeDeadline)
      await Promise.all(running)
      clearTimeout(late)
    }
  }
}

import { setTimeout as delay } from 'node:timers/promises'
import { recordEvent } from '../repositories/audit-events.ts'
import type { Db } from '../database/database.ts'
import type { ComposeMail } from './composer.ts'
import { isRefusal, reasonOf } from './failure.ts'
import {
  claimMail,
  countWaitingMails,
  deleteMail,
  findWaitingMails,
  isRequest,
  type OutboxRow,
  postponeMail,
  renewLease
} from './outbox.ts'
import type { Selection } from './priorities.ts'
import type { SendMail } from './transport.ts'

export interface DeliveryOptions {
  db: Db
  compose: ComposeMail
  /** Without one mails wait, and requests are answered all the same. */
  send: SendMail | undefined
  /** Answers a request that was put into the outbox, and takes it out. */
  answerRequest: (row: OutboxRow) => Promise<void>
  /** What the operator is to know, without an address or a link. */
  report: (level: 'info' | 'warn', what: object, message: string) => void
}

export interface Delivery {
  /** Looks into the outbox now, rather than with the next poll: something was committed there. */
  kick: () => void
  /** Begins no further mail, and waits for those that are under way. */
  close: () => Promise<void>
}

// Milliseconds.
const pollInterval = 1000
const sendDeadline = 60_000
const closeDeadline = 4000
const retryInterval = 1000

// Seconds. The lease of a mail is renewed while it is being sent, so that no other instance sends it, and short, so that
// what a lost instance has left is soon another's. A request needs the database alone, which has deadlines of its own.
const leases = { mail: 15, request: 5 }
const renewInterval = 3000
const longestDelay = 15 * 60
const backOff = (attempts: number) => Math.min(2 ** (attempts - 1), longestDelay)

/** Lanes. Those beside the common ones keep a slow mail server from holding up requests, and what lets people in again. */
const mostAtOnce = { common: 4, urgent: 2 }

/** How many waiting mails are counted, at most. */
const mostCounted = 1000

/**
 * Delivers what is in the outbox: at once when it is told to, and by looking every second for what others have left.
 * What the server does not take is tried again, later each time. A mail comes twice only if the process or the
 * database is lost between the server's yes and the row's end; it has the same Message-ID then.
 */
export function startDelivery({ db, compose, send, answerRequest, report }: DeliveryOptions): Delivery {
  const stop = new AbortController()
  const running = new Set<Promise<void>>()
  let common = 0
  let isClosing = false
  let isFailing = false
  let lastSeen: number | undefined

  function kick(): void {
    // The answer to the request that kicks goes first.
    setImmediate(() => {
      if (isClosing || running.size >= mostAtOnce.common + mostAtOnce.urgent) return
      const isCommon = common < mostAtOnce.common
      if (isCommon) common += 1
      const lane = work(isCommon ? 'all' : 'urgent')
        .then(recovered, failed)
        .finally(() => {
          if (isCommon) common -= 1
          running.delete(lane)
        })
      running.add(lane)
    })
  }

  /** One mail after the other, until none is due. Whoever finds one calls another to help. */
  async function work(which: Selection): Promise<void> {
    while (!isClosing) {
      const row = await claimMail(db, leases, send === undefined ? 'requests' : which)
      if (row === undefined) break
      kick()
      if (isRequest(row)) await answerRequest(row)
      else if (!row.isUseful) await giveUpExpired(row)
      else if (send !== undefined) await deliver(row, send)
    }
    if (send === undefined) await tellOfWaiting()
  }

  async function deliver(row: OutboxRow, send: SendMail): Promise<void> {
    const { id, template, attempts } = row
    const endLease = keepLease(row)
    try {
      await send(compose(row), AbortSignal.any([stop.signal, AbortSignal.timeout(sendDeadline)]))
    } catch (error) {
      await endLease()
      if (isRefusal(error)) {
        await refuse(row, error)
      } else {
        const wait = backOff(attempts)
        await postponeMail(db, id, wait)
        report('warn', { id, template, attempts, ...reasonOf(error), retry_in: wait }, 'mail not sent')
      }
      return
    }
    await endLease()
    await forget(id)
    report('info', { id, template }, 'mail sent')
  }

  /** @returns what to call when the mail is no longer being sent */
  function keepLease(row: OutboxRow): () => Promise<void> {
    let renewal = Promise.resolve()
    const timer = setInterval(() => {
      // Without the database nobody else can take it either.
      renewal = renewLease(db, row, leases.mail).catch(() => undefined)
    }, renewInterval)
    return () => {
      clearInterval(timer)
      return renewal
    }
  }

  /** The mail is given up, and an administrator can see whose it was. */
  async function refuse({ id, template, userId }: OutboxRow, error: unknown): Promise<void> {
    const details = { template, response: reasonOf(error).response }
    await db.transaction(async (tx) => {
      if (await deleteMail(tx, id)) {
        await recordEvent(tx, {}, { type: 'mail.refused', userId: userId ?? undefined, details })
      }
    })
    report('warn', { id, template, ...reasonOf(error) }, 'mail given up: the server refuses it')
  }

  async function giveUpExpired({ id, template }: OutboxRow): Promise<void> {
    await deleteMail(db, id)
    report('warn', { id, template }, 'mail given up: its link has expired')
  }

  /** What was sent must not stay in the outbox, be the database out of reach just now. */
  async function forget(id: number): Promise<void> {
    for (;;) {
      try {
        await deleteMail(db, id)
        return
      } catch (error) {
        if (isClosing) throw error
        await delay(retryInterval, undefined, { ref: false })
      }
    }
  }

  /** Says once of each mail where it is to be found, since nobody gets it. */
  async function tellOfWaiting(): Promise<void> {
    if (lastSeen === undefined) {
      const { count, last } = await countWaitingMails(db, mostCounted)
      lastSeen = last
      if (count > 0)
        report(
          'info',
          { mails: count === mostCounted ? `${String(count)} or more` : count },
          'mails wait: "gatehouse outbox" shows them'
        )
      return
    }
    for (const { id, template } of await findWaitingMails(db, lastSeen, 100)) {
      if (id <= lastSeen) continue
      lastSeen = id
      report('info', { id, template }, `mail written: "gatehouse outbox show ${String(id)}" prints it`)
    }
  }

  function recovered(): void {
    isFailing = false
  }

  function failed(error: unknown): void {
    if (!isFailing) report('warn', { err: error }, 'the outbox cannot be read: it is being tried')
    isFailing = true
  }

  const polling = setInterval(kick, pollInterval)
  polling.unref()
  kick()

  return {
    kick,
    async close() {
      isClosing = true
      clearInterval(polling)
      const late = setTimeout(() => {
        stop.abort()
      }, closeDeadline)
      await Promise.all(running)
      clearTimeout(late)
    }
  }
}

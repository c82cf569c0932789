import { setTimeout as delay } from 'node:timers/promises'
import postgres from 'postgres'
import type { Listener } from './database.ts'

// Milliseconds. A connection that is dead without having closed is found out within the two together.
const heartbeatInterval = 300
const heartbeatTimeout = 400
const retryDelay = 100

/**
 * LISTEN on a connection of its own. postgres.js would resubscribe by itself, but without saying that
 * notifications were missed meanwhile, which is what a revocation check must know.
 */
export function listenOnPostgres(url: string, channel: string, listener: Listener): { close: () => Promise<void> } {
  let subscription = subscribe()
  let closed = false

  function subscribe() {
    let lost = false
    const client = postgres(
      url,
      options({
        onnotify: (_, payload) => {
          listener.onNotification(payload)
        },
        onclose: lose
      })
    )
    const heartbeat = setInterval(() => {
      within(heartbeatTimeout, client.unsafe('select 1')).catch(lose)
    }, heartbeatInterval)
    within(2000, client.unsafe(`listen ${channel}`)).then(() => {
      if (!lost) listener.onListening()
    }, lose)

    function lose() {
      if (lost) return
      lost = true
      clearInterval(heartbeat)
      void client.end({ timeout: 0 }).catch(() => undefined)
      if (closed) return
      listener.onLost()
      setTimeout(() => {
        if (!closed) subscription = subscribe()
      }, retryDelay)
    }

    return { lose, client }
  }

  return {
    async close() {
      closed = true
      subscription.lose()
      await subscription.client.end({ timeout: 1 })
    }
  }
}

/** `onnotify` is an option of postgres.js that its types leave out. */
const options = (hooks: { onnotify: (channel: string, payload: string) => void; onclose: () => void }) =>
  ({
    max: 1,
    idle_timeout: 0,
    max_lifetime: null,
    connect_timeout: 2,
    backoff: false,
    fetch_types: false,
    connection: { application_name: 'gatehouse-listener' },
    ...hooks
  }) as postgres.Options<Record<string, never>>

/** @throws where `work` takes longer */
const within = (milliseconds: number, work: PromiseLike<unknown>): Promise<unknown> =>
  Promise.race([work, delay(milliseconds, undefined, { ref: false }).then(refuse)])

function refuse(): never {
  throw new Error('The database did not answer in time')
}

import { withDeadline } from '../../../src/util/deadline.js'
import { SqlFailure } from '../failure.js'
import type { CommitWatch } from '../dialect/dialect.js'
import type { KnexPool } from './knex-pool.js'
import { PgLink, pgClient } from './postgresql-connection.js'

const FIRST_PAUSE_MS = 200
// As rare as the poll that stands behind it: a longer pause would leave every task to the poll when the server is back.
const LONGEST_PAUSE_MS = 1000
// A connection that died in silence is found by asking.
const ASK_EVERY_MS = 10_000
const ANSWER_WITHIN_MS = 2000

/**
 * Tells of commits that were announced on a channel, over a connection of its own.
 *
 * When the connection is lost another is opened, with a word to the listeners for what they may have missed. A poll
 * stands behind this, so a failure is told to nobody.
 */
export function listenOn(pool: KnexPool, channel: string): CommitWatch {
  return (changed) => {
    const listening = new Listening(pool, channel, changed)
    listening.start()
    return () => {
      listening.stop()
    }
  }
}

/** Run a text; a connection that does not answer is cut, which ends it. */
async function answered(link: PgLink, text: string): Promise<void> {
  const late = (): Error => {
    link.destroy()
    return new SqlFailure('unavailable', 'the connection that listens did not answer')
  }
  await withDeadline(link.exec(text), { ms: ANSWER_WITHIN_MS, late })
}

class Listening {
  readonly #pool: KnexPool
  readonly #channel: string
  readonly #changed: () => void
  #connection: object | undefined
  #leave: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined
  #asking: NodeJS.Timeout | undefined
  #certain: (() => void) | undefined
  #pauseMs = FIRST_PAUSE_MS
  #isStopped = false

  constructor(pool: KnexPool, channel: string, changed: () => void) {
    this.#pool = pool
    this.#channel = channel
    this.#changed = changed
  }

  start(): void {
    this.#open().catch(() => {
      this.#again()
    })
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
    clearInterval(this.#asking)
    this.#certain?.()
    this.#leave?.()
  }

  async #open(): Promise<void> {
    const connection = await this.#pool.openApart()
    const client = pgClient(connection)
    const link = new PgLink(client, false)
    client.on('notification', this.#changed)
    client.on('error', () => undefined)
    this.#connection = connection
    client.on('end', () => {
      // The end of one that failed before has been seen to.
      if (this.#connection !== connection) return
      clearInterval(this.#asking)
      this.#certain?.()
      this.#again()
    })
    this.#leave = () => {
      client.end().catch(() => {
        link.destroy()
      })
    }
    if (this.#isStopped) {
      this.#leave()
      return
    }
    try {
      await answered(link, `LISTEN ${this.#channel}`)
    } catch (error) {
      this.#giveUp(connection)
      throw error
    }
    let isAsking = false
    const ask = (): void => {
      if (isAsking) return
      isAsking = true
      answered(link, 'SELECT 1')
        .catch(() => undefined)
        .finally(() => {
          isAsking = false
        })
    }
    this.#asking = setInterval(ask, ASK_EVERY_MS)
    this.#asking.unref()
    // Where one connection died without a word, this one may have.
    this.#certain = this.#pool.doubt(ask)
    this.#pauseMs = FIRST_PAUSE_MS
    // What was announced before this moment has reached nobody.
    this.#changed()
  }

  /** Nobody can listen there, as at a standby. */
  #giveUp(connection: object): void {
    this.#connection = undefined
    this.#leave?.()
    if (!this.#isStopped) this.#pool.forsake(connection)
  }

  #again(): void {
    if (this.#isStopped || this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.start()
    }, this.#pauseMs)
    this.#timer.unref()
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2)
  }
}

import type { Binding, Fanout, FanoutListener, Route, Subscription } from '../../src/broker/contract.js'
import { matchesBinding } from '../../src/broker/routing.js'
import type { Message } from '../../src/message/message.js'
import { toError } from '../../src/util/to-error.js'
import { decodeMeta, encodeMeta } from './envelope.js'
import { asBroker } from '../../src/broker/store-failure.js'
import { CommitPoller } from './commit-poller.js'
import type { SqlSession } from './sql-session.js'
import type { SqlStore } from './store.js'

// Whoever has not read a broadcast after this long has lost it; a listener looks every few seconds at the latest.
const KEEP_MS = 60_000
const DROP_EVERY_MS = 10_000
const POLLS_SKIPPED = 5

/** Broadcast by a small table that every listener reads on from where it was. */
export class SqlFanout implements Fanout {
  readonly #connected: () => Promise<SqlStore>
  readonly #listening = new Set<Listening>()
  #dropAtMs = 0

  constructor(connected: () => Promise<SqlStore>) {
    this.#connected = connected
  }

  async broadcast(route: Route, message: Message): Promise<void> {
    const drop = performance.now() >= this.#dropAtMs
    const meta = encodeMeta(message, route, undefined)
    await asBroker(async () => {
      const { database, dialect, wake } = await this.#connected()
      const write = async (session: SqlSession): Promise<void> => {
        if (drop) await dialect.broadcasts.dropOld(session, KEEP_MS)
        await dialect.broadcasts.send(session, meta, message.body)
      }
      await database.transaction(write, { durable: false })
      wake.signal()
    })
    if (drop) this.#dropAtMs = performance.now() + DROP_EVERY_MS
  }

  async subscribe(bindings: readonly Binding[], listener: FanoutListener): Promise<Subscription> {
    const { store, after } = await asBroker(async () => {
      const connected = await this.#connected()
      const { database, dialect } = connected
      return { store: connected, after: await database.read((session) => dialect.broadcasts.lastId(session)) }
    })
    const listening = new Listening(store, { bindings, listener, after })
    this.#listening.add(listening)
    return {
      close: async () => {
        this.#listening.delete(listening)
        listening.close()
        await Promise.resolve()
      },
    }
  }

  /** End every subscription. */
  close(): void {
    for (const listening of this.#listening) listening.close()
    this.#listening.clear()
  }
}

interface ListeningParts {
  readonly bindings: readonly Binding[]
  readonly listener: FanoutListener
  /** Id of the last broadcast before the subscription. */
  readonly after: number
}

class Listening {
  readonly #store: SqlStore
  readonly #parts: ListeningParts
  readonly #poller: CommitPoller
  #after: number
  #closed = false

  constructor(store: SqlStore, parts: ListeningParts) {
    this.#store = store
    this.#parts = parts
    this.#after = parts.after
    this.#poller = new CommitPoller(store, {
      poll: () => this.#read(),
      failed: (error) => {
        this.#failed(error)
      },
      pollMs: store.settings.pollMs * POLLS_SKIPPED,
    })
    this.#poller.start()
  }

  close(): void {
    this.#closed = true
    this.#poller.stop()
  }

  async #read(): Promise<void> {
    const { database, dialect } = this.#store
    const rows = await asBroker(async () =>
      database.read(async (session) => dialect.broadcasts.after(session, this.#after)),
    )
    for (const { id, meta, body } of rows) {
      if (this.#closed) return
      this.#after = id
      const { message, route } = decodeMeta(meta, body, '')
      if (this.#hears(route, message)) this.#parts.listener.message(route, message)
    }
  }

  #hears(route: Route, message: Message): boolean {
    return this.#parts.bindings.some(
      (binding) =>
        binding.exchange === route.exchange && matchesBinding(binding, route.routingKey, message.headers),
    )
  }

  /** A database that is locked for a while is read again; the loss of one is reported. */
  #failed(error: unknown): void {
    if (this.#closed || !this.#store.database.broken) return
    this.close()
    this.#parts.listener.lost(toError(error))
  }
}

import { MongoServerError, ObjectId } from 'mongodb'
import type { Collection } from 'mongodb'
import type { Binding, Fanout, FanoutListener, Route, Subscription } from '../../src/broker/contract.js'
import { matchesBinding } from '../../src/broker/routing.js'
import type { Message } from '../../src/message/message.js'
import { toError } from '../../src/util/to-error.js'
import type { BroadcastDocument } from './documents.js'
import { readEnvelope, writeEnvelope } from '../../src/broker/kombu-envelope.js'
import { textOf } from './envelope.js'
import { asBroker } from './failure.js'
import type { ServerClock } from './server-clock.js'
import type { MongoStore } from './store.js'

/** Whoever has not read a broadcast after this long has lost it, where the collection is not capped. */
const KEEP_MS = 60_000
const DROP_EVERY_MS = 10_000
const POLL_MS = 200
/** The server's code for a collection that exists. */
const ALREADY_THERE = 48
/** Failing looks in a row before a subscription is lost. */
const LOST_AFTER = 3

/** Broadcast by kombu's collection, which every listener reads on from where it was. */
export class MongoFanout implements Fanout {
  readonly #connected: () => MongoStore
  readonly #listening = new Set<Listening>()
  #prepared: Promise<void> | undefined
  #dropAtMs = 0

  constructor(connected: () => MongoStore) {
    this.#connected = connected
  }

  async broadcast(route: Route, message: Message): Promise<void> {
    const store = this.#connected()
    const { broadcast } = store.collections
    await asBroker(async () => {
      await this.#prepare(store)
      await broadcast.insertOne({
        _id: new ObjectId(ObjectId.generate(Math.floor((await store.clock.now()) / 1000))),
        payload: writeEnvelope(message, route),
        queue: route.exchange,
      })
      if (!store.features.capped) await this.#drop(store)
    })
    for (const listening of this.#listening) listening.look()
  }

  async subscribe(bindings: readonly Binding[], listener: FanoutListener): Promise<Subscription> {
    const store = this.#connected()
    const listening = new Listening(store, bindings, listener)
    await asBroker(async () => {
      await this.#prepare(store)
      await listening.start()
    })
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

  /** @source kombu 5.7, `kombu/transport/mongodb.py`, `Channel._create_broadcast`. */
  async #prepare({ lease, settings, features }: MongoStore): Promise<void> {
    this.#prepared ??= (async () => {
      const { target, names, cappedBytes } = settings
      const database = lease.connection.client.db(target.database)
      const found = await database.listCollections({ name: names.broadcast }, { nameOnly: true }).toArray()
      if (found.length > 0) return
      const capped = features.capped ? { capped: true, size: cappedBytes } : {}
      await database.createCollection(names.broadcast, capped).catch((error: unknown) => {
        // Another may make it at the same time.
        if (!(error instanceof MongoServerError) || error.code !== ALREADY_THERE) throw error
      })
      await database.collection(names.broadcast).createIndex({ queue: 1 })
    })()
    try {
      await this.#prepared
    } catch (error) {
      this.#prepared = undefined
      throw error
    }
  }

  async #drop({ collections: { broadcast }, clock }: MongoStore): Promise<void> {
    if (performance.now() < this.#dropAtMs) return
    this.#dropAtMs = performance.now() + DROP_EVERY_MS
    await broadcast.deleteMany({ _id: { $lt: await idBefore(clock, KEEP_MS) } })
  }
}

class Listening {
  readonly #broadcast: Collection<BroadcastDocument>
  readonly #clock: ServerClock
  readonly #bindings: readonly Binding[]
  readonly #listener: FanoutListener
  /** What was read already: ids of several senders are not in the order in which they come. */
  #seen = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #looking = false
  #failures = 0
  #isClosed = false

  constructor({ collections, clock }: MongoStore, bindings: readonly Binding[], listener: FanoutListener) {
    this.#broadcast = collections.broadcast
    this.#clock = clock
    this.#bindings = bindings
    this.#listener = listener
  }

  async start(): Promise<void> {
    for (const { _id } of await this.#read()) this.#seen.add(_id.toHexString())
    this.#timer = setInterval(() => {
      this.look()
    }, POLL_MS)
  }

  look(): void {
    if (this.#looking || this.#isClosed) return
    this.#looking = true
    this.#look()
      .then(() => {
        this.#failures = 0
      })
      .catch((error: unknown) => {
        this.#failed(error)
      })
      .finally(() => {
        this.#looking = false
      })
  }

  close(): void {
    this.#isClosed = true
    clearInterval(this.#timer)
  }

  async #look(): Promise<void> {
    const found = await this.#read()
    const before = this.#seen
    this.#seen = new Set(found.map(({ _id }) => _id.toHexString()))
    for (const { _id, payload } of found) {
      if (this.#isClosed) return
      if (before.has(_id.toHexString())) continue
      try {
        const { message, route } = readEnvelope(textOf(payload), '')
        if (this.#hears(route, message)) this.#listener.message(route, message)
      } catch {
        // One that cannot be read or handled must not keep back those after it.
      }
    }
  }

  async #read(): Promise<readonly BroadcastDocument[]> {
    const exchanges = [...new Set(this.#bindings.map(({ exchange }) => exchange))]
    const first = await idBefore(this.#clock, KEEP_MS)
    return this.#broadcast.find({ queue: { $in: exchanges }, _id: { $gte: first } }).toArray()
  }

  #hears(route: Route, message: Message): boolean {
    return this.#bindings.some(
      (binding) =>
        binding.exchange === route.exchange && matchesBinding(binding, route.routingKey, message.headers),
    )
  }

  #failed(error: unknown): void {
    this.#failures += 1
    if (this.#isClosed || this.#failures < LOST_AFTER) return
    this.close()
    this.#listener.lost(toError(error))
  }
}

/** The smallest id of this age. Machines' clocks may be minutes apart; all ids of Lovage are of the server's. */
async function idBefore(clock: ServerClock, ms: number): Promise<ObjectId> {
  return ObjectId.createFromTime(Math.floor(((await clock.now()) - ms) / 1000))
}

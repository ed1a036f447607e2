import { MongoClient } from 'mongodb'
import type { Collection, Db, Document } from 'mongodb'
import { storeIdOf } from '../../src/broker/store-id.js'
import { BrokerConnectionError } from '../../src/errors/errors.js'
import { findFeatures } from './features.js'
import type { Features } from './features.js'
import { MonitorWatch } from './workaround/monitor-watch.js'
import { ServerClock } from './server-clock.js'
import type { MongoTarget } from './settings.js'

/** What is known once a connection is open. */
export interface Ready {
  readonly features: Features
  readonly clock: ServerClock
}

const HEARTBEAT_MS = 2_000

/** The connections of one process, or thread, to one server or replica set; they come back by themselves. */
export class MongoConnection {
  readonly target: MongoTarget
  readonly client: MongoClient
  readonly #watch: MonitorWatch
  #ready: Promise<Ready> | undefined

  constructor(target: MongoTarget) {
    this.target = target
    const { answerMs } = target
    const hasConcern = /[?&](w|journal|wtimeoutMS)=/i.test(target.url)
    this.client = new MongoClient(target.url, {
      appName: 'lovage',
      serverSelectionTimeoutMS: answerMs,
      connectTimeoutMS: answerMs,
      socketTimeoutMS: answerMs,
      heartbeatFrequencyMS: HEARTBEAT_MS,
      minHeartbeatFrequencyMS: 200,
      // Whoever reads tries again by itself.
      retryReads: false,
      ignoreUndefined: true,
      ...(!hasConcern && { writeConcern: { w: 'majority' } }),
    })
    this.#watch = new MonitorWatch(this.client, { answerMs, newsMs: HEARTBEAT_MS })
  }

  /** Connect, and find out what the server can do. */
  async ready(signal: AbortSignal): Promise<Ready> {
    signal.throwIfAborted()
    this.#ready ??= this.#connect()
    try {
      return await this.#ready
    } catch (error) {
      this.#ready = undefined
      throw error
    }
  }

  /** A collection of the target's database, or of another one on the server. */
  collection<Schema extends Document>(name: string, database: string): Collection<Schema> {
    return this.client.db(database).collection<Schema>(name)
  }

  async close(): Promise<void> {
    await this.#watch.stop()
    await this.client.close()
  }

  async #connect(): Promise<Ready> {
    await this.client.connect()
    this.#watch.start()
    const admin: Db = this.client.db('admin')
    const features = await findFeatures(admin, this.target)
    return { features, clock: new ServerClock(admin, features.hello) }
  }
}

interface Shared {
  readonly connection: MongoConnection
  users: number
}

const shared = new Map<string, Shared>()

/** A user's hold on a shared connection. */
export interface ConnectionLease {
  readonly connection: MongoConnection
  /** Give it up; the last one closes it. Idempotent. */
  release(): Promise<void>
}

/** The connection of this process to a server: the same for all who ask while one of them uses it. */
export function acquireConnection(target: MongoTarget): ConnectionLease {
  const key = mongoStoreId(target)
  const entry = shared.get(key) ?? { connection: new MongoConnection(target), users: 0 }
  shared.set(key, entry)
  entry.users += 1
  let isReleased = false
  return {
    connection: entry.connection,
    release: async () => {
      if (isReleased) return
      isReleased = true
      entry.users -= 1
      if (entry.users > 0) return
      shared.delete(key)
      await entry.connection.close()
    },
  }
}

/** Names the server: broker and backend of one id share a connection, and one transaction reaches what both keep. */
export function mongoStoreId({ url, wake, answerMs }: MongoTarget): string {
  // The path names a database, which each user of a connection names itself; without credentials it says nothing else.
  const shortened = url.includes('@') ? url : url.replace(/^([a-z+]+:\/\/[^/]+\/)[^?]*/, '$1')
  return storeIdOf('mongodb', shortened, wake, String(answerMs))
}

/** What is used before it is connected. */
export function notConnected(): BrokerConnectionError {
  return new BrokerConnectionError('mongodb broker: not connected')
}

import type { Collection } from 'mongodb'
import { Changes } from './changes.js'
import type {
  BeatEntryDocument,
  BroadcastDocument,
  HolderDocument,
  LeaderDocument,
  MessageDocument,
  OccurrenceDocument,
  QueueDocument,
  RoutingDocument,
} from './documents.js'
import { proveChanges } from './features.js'
import type { Features } from './features.js'
import { Holders } from './holders.js'
import { acquireConnection } from './connection.js'
import type { ConnectionLease } from './connection.js'
import type { ServerClock } from './server-clock.js'
import type { MongoSettings } from './settings.js'
import { Topology } from './topology.js'
import { DelayedMessages } from './delayed-messages.js'

/** The collections of a broker. */
export interface Collections {
  readonly messages: Collection<MessageDocument>
  readonly routing: Collection<RoutingDocument>
  readonly broadcast: Collection<BroadcastDocument>
  readonly queues: Collection<QueueDocument>
  readonly holders: Collection<HolderDocument>
  readonly beat: Collection<LeaderDocument>
  readonly beatEntries: Collection<BeatEntryDocument>
  readonly beatOccurrences: Collection<OccurrenceDocument>
}

/** A connected broker's parts. */
export interface MongoStore {
  readonly settings: MongoSettings
  readonly lease: ConnectionLease
  readonly features: Features
  readonly clock: ServerClock
  readonly collections: Collections
  readonly topology: Topology
  readonly changes: Changes
  readonly holders: Holders
  readonly waiting: DelayedMessages
}

/** Connect, and make the indexes that are missing. */
export async function openStore(settings: MongoSettings, signal: AbortSignal): Promise<MongoStore> {
  const { target, names } = settings
  const lease = acquireConnection(target)
  try {
    const { features, clock } = await lease.connection.ready(signal)
    const { connection } = lease
    const collections: Collections = {
      messages: connection.collection(names.messages, target.database),
      routing: connection.collection(names.routing, target.database),
      broadcast: connection.collection(names.broadcast, target.database),
      queues: connection.collection(names.queues, target.database),
      holders: connection.collection(names.holders, target.database),
      beat: connection.collection(names.beat, target.database),
      beatEntries: connection.collection(`${names.beat}.entries`, target.database),
      beatOccurrences: connection.collection(`${names.beat}.occurrences`, target.database),
    }
    await ensureIndexes(collections, settings)
    await proveChanges(connection.collection(names.messages, target.database), target)
    return {
      settings,
      lease,
      features,
      clock,
      collections,
      topology: new Topology(collections),
      changes: new Changes(connection.collection(names.messages, target.database), features.changes),
      holders: new Holders(collections),
      waiting: new DelayedMessages(collections.messages),
    }
  } catch (error) {
    await lease.release()
    throw error
  }
}

/**
 * Where Celery has one too it has to be the same to the letter: there are servers that refuse what differs in `background`.
 *
 * @source kombu 5.7, `kombu/transport/mongodb.py`, `Channel._ensure_indexes`; the second is Lovage's.
 */
async function ensureIndexes(collections: Collections, { ttl }: MongoSettings): Promise<void> {
  const { messages, routing, queues } = collections
  const expiring = { expireAfterSeconds: 0 }
  await messages.createIndex({ queue: 1, priority: 1, _id: 1 }, { background: true }, {})
  await messages.createIndex({ 'lovage.dueAt': 1 }, { sparse: true }, {})
  await routing.createIndex({ queue: 1, exchange: 1 })
  if (!ttl) return
  await messages.createIndex({ expire_at: 1 }, expiring, {})
  await routing.createIndex({ expire_at: 1 }, expiring, {})
  await queues.createIndex({ expire_at: 1 }, expiring, {})
}

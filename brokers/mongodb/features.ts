import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads'
import type { Collection, Document } from 'mongodb'
import { MongoServerError } from 'mongodb'
import type { MongoTarget } from './settings.js'

const NO_SUCH_COMMAND = 59

/** What a server can do, found out when it is connected to. */
export interface Features {
  /** Change streams: a replica set or a sharded cluster. */
  readonly changes: boolean
  readonly transactions: boolean
  readonly capped: boolean
  /** Indexes that delete by themselves. */
  readonly ttl: boolean
  /** The command that tells the server's time. */
  readonly hello: 'hello' | 'isMaster'
}

/** The database that is asked. */
export interface Asked {
  command(command: Document): Promise<Document>
}

/** Ask a server what it is, and name once per process what it lacks and what is done instead. */
export async function findFeatures(
  admin: Asked,
  target: Pick<MongoTarget, 'wake' | 'label'>,
): Promise<Features> {
  const { reply, hello } = await greet(admin)
  const isSet = typeof reply['setName'] === 'string' || reply['msg'] === 'isdbgrid'
  // Servers that speak the protocol and know the command by its old name only have little else.
  const isWhole = hello === 'hello'
  const features = {
    changes: target.wake === 'auto' ? isSet : target.wake === 'changes',
    transactions: isSet && typeof reply['logicalSessionTimeoutMinutes'] === 'number',
    capped: isWhole,
    ttl: isWhole,
    hello,
  }
  nameMissing(features, target.label)
  return features
}

/** A server that streams changes, where that was asked for by hand: one that refuses would be polled without a word. */
export async function proveChanges(
  collection: Pick<Collection, 'watch'>,
  { wake }: Pick<MongoTarget, 'wake'>,
): Promise<void> {
  if (wake !== 'changes') return
  const stream = collection.watch([], { maxAwaitTimeMS: 1 })
  try {
    await stream.tryNext()
  } finally {
    await stream.close()
  }
}

async function greet(admin: Asked): Promise<{ readonly reply: Document; readonly hello: Features['hello'] }> {
  try {
    return { reply: await admin.command({ hello: 1 }), hello: 'hello' }
  } catch (error) {
    // Any other refusal, as of a user without rights, is no sign of an old server.
    if (!(error instanceof MongoServerError) || error.code !== NO_SUCH_COMMAND) throw error
    return { reply: await admin.command({ isMaster: 1 }), hello: 'isMaster' }
  }
}

function nameMissing(features: Features, label: string): void {
  const missing = [
    !features.transactions && 'no transactions (a task is settled in steps: follow-ups, result, message)',
    !features.changes && 'no change streams (it is polled)',
    !features.capped && 'no capped collections (broadcasts are swept)',
    !features.ttl && 'no TTL indexes (what has expired is swept)',
  ].filter((one) => one !== false)
  // Threads that are started later know what was named before, as a worker's that renews leases.
  const named = `lovage: features of ${label}`
  if (missing.length === 0 || getEnvironmentData(named) === true) return
  setEnvironmentData(named, true)
  process.emitWarning(`${label} has ${missing.join(', ')}`, {
    type: 'LovageWarning',
    code: 'LOVAGE_MONGODB_FEATURES',
  })
}

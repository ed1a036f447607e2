import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { MongoBulkWriteError, MongoError, MongoServerError, ObjectId } from 'mongodb'
import type { ClientSession } from 'mongodb'
import { OCCURRENCES_KEPT_MS, type Occurrence, type Outgoing } from '../../src/broker/contract.js'
import type { MessageDocument } from './documents.js'
import { isPassing } from './failure.js'
import { documentsOf } from './publisher.js'
import { unroutable } from '../../src/broker/routing.js'
import type { MongoStore } from './store.js'

const DUPLICATE = 11_000
/** Whoever began to send and has not finished by now is gone, in milliseconds. */
const GRACE_MS = 5_000
const LOOK_EVERY_MS = 100

/**
 * Publish an occurrence unless it was.
 *
 * Where the server has transactions it is one. Elsewhere the occurrence is entered first, marked as being sent: whoever
 * meets the mark of one who is gone sends in its place, messages of the same `_id`, so that what is still there is not
 * there twice.
 */
export async function claimOccurrence(
  store: MongoStore,
  occurrence: Occurrence,
  publish: readonly Outgoing[],
): Promise<boolean> {
  if (!(await isWanted(store, occurrence))) return false
  const routed = await documentsOf(store, publish)
  const lost = routed.flatMap((own, position) => (own.length === 0 ? [position] : []))
  if (lost.length > 0) throw unroutable(publish, lost)
  const documents = routed.flat().map((document, position) => ({
    ...document,
    _id: messageId(occurrence, position),
  }))
  const claimed = store.features.transactions
    ? await claimInOne(store, occurrence, documents)
    : await claimInSteps(store, occurrence, documents)
  if (claimed) for (const queue of new Set(documents.map(({ queue }) => queue))) store.changes.signal(queue)
  return claimed
}

/** Whether its entry is there, and it is not so old that it may have been forgotten. */
async function isWanted({ collections }: MongoStore, { entry, scheduledAtMs }: Occurrence): Promise<boolean> {
  const found = await collections.beatEntries.findOne({ _id: entry }, { projection: { lastMs: 1 } })
  return found !== null && scheduledAtMs >= (found.lastMs ?? scheduledAtMs) - OCCURRENCES_KEPT_MS
}

async function claimInOne(
  store: MongoStore,
  occurrence: Occurrence,
  documents: readonly MessageDocument[],
): Promise<boolean> {
  const { id, entry, scheduledAtMs } = occurrence
  const { messages, beatOccurrences } = store.collections
  let isNoted = false
  try {
    await store.lease.connection.client.withSession((session) =>
      session.withTransaction(async () => {
        await beatOccurrences.insertOne({ _id: id, entry, atMs: scheduledAtMs }, { session })
        if (documents.length > 0) await messages.insertMany([...documents], { session })
        // Its entry may have been removed since it was looked for.
        isNoted = await note(store, occurrence, session)
        if (!isNoted) await session.abortTransaction()
      }),
    )
  } catch (error) {
    // Somebody may have begun to send it in steps, while the server had no transactions.
    if (isDuplicate(error)) return claimInSteps(store, occurrence, documents)
    throw error
  }
  return isNoted
}

async function claimInSteps(
  store: MongoStore,
  occurrence: Occurrence,
  documents: readonly MessageDocument[],
): Promise<boolean> {
  const { beatOccurrences } = store.collections
  const mark = (await enter(store, occurrence)) ?? (await takeOver(store, occurrence))
  const sending = mark === undefined ? undefined : await keep(store, occurrence, mark)
  if (sending !== undefined) {
    const mine = { _id: occurrence.id, sending }
    try {
      await insertMissing(store, documents)
    } catch (error) {
      // What can never be sent is nobody's to take over.
      if (!(error instanceof MongoError) || !isPassing(error)) await beatOccurrences.deleteOne(mine)
      throw error
    }
    await beatOccurrences.updateOne(mine, { $unset: { sending: true } })
  }
  await note(store, occurrence)
  return sending !== undefined
}

/** Says who sends an occurrence. */
interface Mark {
  readonly sending: string
  /** When it was about to be entered, in milliseconds of the process. */
  readonly atMs: number
}

function newMark(): Mark {
  return { sending: new ObjectId().toHexString(), atMs: performance.now() }
}

/** Enter an occurrence as being sent by us; `undefined` when it is there already. */
async function enter(
  { collections: { beatOccurrences } }: MongoStore,
  { id, entry, scheduledAtMs }: Occurrence,
): Promise<Mark | undefined> {
  const mark = newMark()
  try {
    await beatOccurrences.insertOne({ _id: id, entry, atMs: scheduledAtMs, sending: mark.sending })
    return mark
  } catch (error) {
    if (isDuplicate(error)) return undefined
    throw error
  }
}

/** Wait until whoever sends an occurrence is done, or gone: then it is ours. */
async function takeOver(
  { collections: { beatOccurrences } }: MongoStore,
  { id: _id }: Occurrence,
): Promise<Mark | undefined> {
  let seen: string | undefined
  let seenAtMs = 0
  for (;;) {
    const found = await beatOccurrences.findOne({ _id }, { projection: { sending: 1 } })
    if (found?.sending === undefined) return undefined
    if (found.sending !== seen) {
      seen = found.sending
      seenAtMs = performance.now()
    } else if (performance.now() - seenAtMs >= GRACE_MS) {
      const mark = newMark()
      const mine = await beatOccurrences.updateOne(
        { _id, sending: seen },
        { $set: { sending: mark.sending } },
      )
      if (mine.modifiedCount === 1) return mark
    }
    await sleep(LOOK_EVERY_MS)
  }
}

/**
 * A mark that is fresh enough to send under it: whoever was slow enters another, unless it was taken for gone meanwhile.
 *
 * @returns `undefined` when another one sends.
 */
async function keep(
  { collections: { beatOccurrences } }: MongoStore,
  { id: _id }: Occurrence,
  mark: Mark,
): Promise<string | undefined> {
  let kept = mark
  while (performance.now() - kept.atMs > GRACE_MS / 2) {
    const next = newMark()
    const mine = { _id, sending: kept.sending }
    const renewed = await beatOccurrences.updateOne(mine, { $set: { sending: next.sending } })
    if (renewed.matchedCount === 0) return undefined
    kept = next
  }
  return kept.sending
}

async function insertMissing(
  { collections: { messages } }: MongoStore,
  documents: readonly MessageDocument[],
): Promise<void> {
  if (documents.length === 0) return
  try {
    await messages.insertMany([...documents], { ordered: false })
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError)) throw error
    const failed = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors]
    if (failed.length === 0 || failed.some(({ code }) => code !== DUPLICATE)) throw error
  }
}

/** Note the latest instant of the entry, and forget what nobody asks for any more; `false` when there is no entry. */
async function note(
  { collections: { beatEntries, beatOccurrences } }: MongoStore,
  { entry, scheduledAtMs }: Occurrence,
  session?: ClientSession,
): Promise<boolean> {
  const options = session === undefined ? {} : { session }
  const noted = await beatEntries.updateOne({ _id: entry }, { $max: { lastMs: scheduledAtMs } }, options)
  const forgotten = { entry, atMs: { $lt: scheduledAtMs - OCCURRENCES_KEPT_MS } }
  await beatOccurrences.deleteMany(forgotten, options)
  return noted.matchedCount > 0
}

function isDuplicate(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === DUPLICATE
}

/** The same for all who send it; its beginning is a time, as queues are served in the order of ids. */
function messageId({ id, scheduledAtMs }: Occurrence, position: number): ObjectId {
  const bytes = createHash('sha1')
    .update(`${id} ${String(position)}`)
    .digest()
    .subarray(0, 12)
  bytes.writeUInt32BE(Math.max(0, Math.floor(scheduledAtMs / 1000)) >>> 0)
  return new ObjectId(bytes)
}

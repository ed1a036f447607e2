import { MongoBulkWriteError, ObjectId } from 'mongodb'
import type { Outgoing } from '../../src/broker/contract.js'
import { unroutable } from '../../src/broker/routing.js'
import { MessageTooLargeError, PublishError } from '../../src/errors/errors.js'
import type { MessageDocument } from './documents.js'
import { writeEnvelope } from '../../src/broker/kombu-envelope.js'
import { isPassing } from './failure.js'
import { delayedName } from './names.js'
import type { MongoStore } from './store.js'

/** A document has 16 MiB, and beside the payload there are the names and marks of claims, in bytes. */
const LARGEST_PAYLOAD = 2 ** 24 - 16 * 1024
/** How much longer a dead letter may be than any message, for what is written beside it, in bytes. */
const LETTER_BYTES = 12 * 1024

/** What a publisher works with. */
export type PublisherStore = Pick<MongoStore, 'collections' | 'topology' | 'clock' | 'changes' | 'settings'>

/** Insert messages. @throws {@link PublishError} that names those whose route reaches no queue. */
export async function publish(store: PublisherStore, batch: readonly Outgoing[]): Promise<void> {
  const all = await documentsOf(store, batch)
  const errors = all.map((own, position) => {
    const isLetter = 'lovage-dead-reason' in (batch[position]?.message.headers ?? {})
    const most = LARGEST_PAYLOAD + (isLetter ? LETTER_BYTES : 0)
    return own.map((document) => tooLarge(document, most)).find((error) => error !== undefined)
  })
  const cause = errors.find((error) => error !== undefined)
  const fitting = all.map((own, position) => (errors[position] === undefined ? own : []))
  const documents = fitting.flat()
  if (documents.length > 0) await insert(store, fitting)
  for (const queue of new Set(documents.map((document) => document.queue))) store.changes.signal(queue)
  const lost = fitting.flatMap((own, position) => (own.length === 0 ? [position] : []))
  if (cause !== undefined) throw new PublishError(cause.message, lost, { cause })
  if (lost.length > 0) throw unroutable(batch, lost)
}

/** What a server says of it depends on its version, and some cut the connection. */
function tooLarge({ payload, queue }: MessageDocument, most: number): MessageTooLargeError | undefined {
  const bytes = Buffer.byteLength(payload)
  return bytes > most ? new MessageTooLargeError(queue, bytes, most) : undefined
}

/** The documents of each message: one for every queue that it reaches. */
export async function documentsOf(
  { topology, clock, settings }: Pick<MongoStore, 'topology' | 'clock' | 'settings'>,
  batch: readonly Outgoing[],
): Promise<readonly (readonly MessageDocument[])[]> {
  const routed = await topology.routed(batch)
  const needsTime = settings.ttl || batch.some(({ delayMs }) => delayMs !== undefined)
  const nowMs = needsTime ? await clock.now() : 0
  return batch.map((outgoing, position) =>
    (routed[position] ?? []).map((queue) => toDocument(outgoing, queue, { nowMs, ttl: settings.ttl })),
  )
}

/** @source kombu 5.7, `kombu/transport/mongodb.py`, `Channel._put`. */
function toDocument(
  { message, route, delayMs, notBeforeMs }: Outgoing,
  queue: string,
  { nowMs, ttl }: { readonly nowMs: number; readonly ttl: boolean },
): MessageDocument {
  const { priority, expirationMs } = message.properties
  const dueMs = notBeforeMs ?? (delayMs === undefined || delayMs <= 0 ? undefined : nowMs + delayMs)
  return {
    _id: new ObjectId(),
    payload: writeEnvelope(message, route),
    queue: dueMs === undefined ? queue : delayedName(queue),
    priority: 9 - Math.max(0, Math.min(9, Math.trunc(priority ?? 0))),
    ...(ttl && expirationMs !== undefined && { expire_at: new Date(nowMs + expirationMs) }),
    ...(dueMs !== undefined && { lovage: { queue, due: true, dueAt: new Date(Math.ceil(dueMs)) } }),
  }
}

async function insert(
  { collections }: PublisherStore,
  all: readonly (readonly MessageDocument[])[],
): Promise<void> {
  const [first, ...more] = all.flat()
  if (first === undefined) return
  if (more.length === 0) {
    await collections.messages.insertOne(first)
    return
  }
  try {
    await collections.messages.insertMany([first, ...more], { ordered: false })
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError) || isPassing(error)) throw error
    const failed = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors]
    const positions = all.flatMap((own, position) => own.map(() => position))
    const lost = new Set(failed.map(({ index }) => positions[Number(index)] ?? 0))
    // A write concern that was not met is an error without documents; then nothing is confirmed.
    const indexes = lost.size > 0 ? [...lost] : all.map((_, position) => position)
    throw new PublishError(`mongodb: ${error.message}`, indexes, { cause: error })
  }
}

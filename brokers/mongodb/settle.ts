import { randomUUID } from 'node:crypto'
import { ObjectId } from 'mongodb'
import type { AnyBulkWriteOperation, ClientSession, UpdateFilter } from 'mongodb'
import type { Delivery, HandBack, Settlement } from '../../src/broker/contract.js'
import type { MessageDocument } from './documents.js'
import { withHeaders } from './envelope.js'
import { claimedName, delayedName, tagOf } from './names.js'
import { documentsOf } from './publisher.js'
import { unroutable } from '../../src/broker/routing.js'
import type { ResultWriter } from './result-writer.js'
import type { MongoStore } from './store.js'

/** Whose claims are settled. */
export interface ClaimOwner {
  readonly store: MongoStore
  readonly holder: string
  /** Envelopes of what was claimed and not settled, by tag. */
  readonly unsettled: ReadonlyMap<string, string>
}

/** The document and the claim that a delivery's tag names. */
function claimOf({ tag }: Delivery): { readonly _id: ObjectId; readonly claim: string } {
  const colon = tag.indexOf(':')
  return { _id: new ObjectId(tag.slice(0, colon)), claim: tag.slice(colon + 1) }
}

/** Those of the deliveries whose claim still holds, by tag. */
export async function heldTags(
  { store, holder }: Pick<ClaimOwner, 'store' | 'holder'>,
  deliveries: readonly Delivery[],
  session?: ClientSession,
): Promise<ReadonlySet<string>> {
  const ids = deliveries.map((delivery) => claimOf(delivery)._id)
  const found = await store.collections.messages
    .find(
      { _id: { $in: ids }, queue: claimedName(holder) },
      { projection: { 'lovage.claim': 1 }, ...(session !== undefined && { session }) },
    )
    .toArray()
  return new Set(found.map(({ _id, lovage }) => tagOf(_id, lovage?.claim ?? '')))
}

/** Delete what is done; resolves with the deliveries whose claim was lost. */
export async function acknowledge(
  owner: ClaimOwner,
  deliveries: readonly Delivery[],
): Promise<readonly Delivery[]> {
  const known = deliveries.filter((delivery) => owner.unsettled.has(delivery.tag))
  const lost = deliveries.filter((delivery) => !known.includes(delivery))
  if (known.length === 0) return lost
  const { messages } = owner.store.collections
  const claims = known.map(claimOf)
  const ids = claims.map(({ _id }) => _id)
  const { deletedCount } = await messages.deleteMany({
    _id: { $in: ids },
    queue: claimedName(owner.holder),
    'lovage.claim': { $in: [...new Set(claims.map(({ claim }) => claim))] },
  })
  if (deletedCount === known.length) return lost
  if (deletedCount === 0) return deliveries
  // What is still there was given back in between, and is another's by now.
  const left = await messages.find({ _id: { $in: ids } }, { projection: { _id: 1 } }).toArray()
  const leftIds = new Set(left.map(({ _id }) => _id.toHexString()))
  return [...lost, ...known.filter((delivery) => leftIds.has(claimOf(delivery)._id.toHexString()))]
}

/** Give messages back; resolves with the deliveries whose claim was lost. */
export async function giveBack(owner: ClaimOwner, items: readonly HandBack[]): Promise<readonly Delivery[]> {
  const known = items.filter(({ delivery }) => owner.unsettled.has(delivery.tag))
  const lost = items.filter((item) => !known.includes(item)).map(({ delivery }) => delivery)
  if (known.length === 0) return lost
  const { messages } = owner.store.collections
  const mark = randomUUID()
  const operations = await Promise.all(known.map((item) => giveBackOperation(owner, item, mark)))
  const { matchedCount } = await messages.bulkWrite(operations, { ordered: false })
  if (matchedCount === known.length) return lost
  // Those that were given back by this call say so, as long as nobody has claimed and settled them.
  const ids = known.map(({ delivery }) => claimOf(delivery)._id)
  const still = await messages.find({ _id: { $in: ids } }, { projection: { lovage: 1 } }).toArray()
  const gone = new Set(
    still.filter(({ lovage }) => lovage?.back !== mark).map(({ _id }) => _id.toHexString()),
  )
  const isLost = ({ delivery }: HandBack): boolean =>
    matchedCount === 0 || gone.has(claimOf(delivery)._id.toHexString())
  return [...lost, ...known.filter(isLost).map(({ delivery }) => delivery)]
}

/**
 * Apply settlements, each whole or not at all, as far as `session` is in a transaction.
 *
 * @returns The deliveries whose claim was lost.
 * @throws `PublishError` when a follow-up message reaches no queue; the transaction is then given up.
 */
export async function applySettlements(
  owner: ClaimOwner,
  settlements: readonly Settlement[],
  within: { readonly writer: ResultWriter; readonly session: ClientSession | undefined },
): Promise<readonly Delivery[]> {
  const { store } = owner
  const { writer, session } = within
  const held = await heldTags(
    owner,
    settlements.map(({ delivery }) => delivery),
    session,
  )
  const operations: AnyBulkWriteOperation<MessageDocument>[] = []
  const own = settlements.filter(({ delivery }) => held.has(delivery.tag))
  for (const { delivery, publish, handBack } of own) {
    const followUps = await documentsOf(store, publish)
    if (followUps.some((documents) => documents.length === 0)) {
      throw unroutable(publish, [followUps.findIndex((documents) => documents.length === 0)])
    }
    for (const document of followUps.flat()) operations.push({ insertOne: { document } })
    operations.push(
      handBack === undefined
        ? { deleteOne: { filter: filterOf(owner, delivery) } }
        : await giveBackOperation(owner, { delivery, ...handBack }, randomUUID()),
    )
  }
  const records = own.flatMap(({ record, recordTtlMs = 0 }) =>
    record === undefined ? [] : [{ record, ttlMs: recordTtlMs }],
  )
  if (records.length > 0) await writer.writeWithin(session, records)
  if (operations.length > 0) {
    await store.collections.messages.bulkWrite(operations, {
      ordered: true,
      ...(session !== undefined && { session }),
    })
  }
  return settlements.filter(({ delivery }) => !held.has(delivery.tag)).map(({ delivery }) => delivery)
}

function filterOf(
  { holder }: ClaimOwner,
  delivery: Delivery,
): { readonly _id: ObjectId; readonly queue: string; readonly 'lovage.claim': string } {
  const { _id, claim } = claimOf(delivery)
  return { _id, queue: claimedName(holder), 'lovage.claim': claim }
}

async function giveBackOperation(
  owner: ClaimOwner,
  { delivery, delayMs, notBeforeMs, unspent, headers }: HandBack,
  mark: string,
): Promise<AnyBulkWriteOperation<MessageDocument>> {
  const { clock } = owner.store
  const { queue } = delivery
  const dueMs = notBeforeMs ?? (delayMs > 0 ? (await clock.now()) + delayMs : undefined)
  const payload = headers === undefined ? undefined : owner.unsettled.get(delivery.tag)
  const update: UpdateFilter<MessageDocument> = {
    $set: {
      queue: dueMs === undefined ? queue : delayedName(queue),
      'lovage.back': mark,
      ...(dueMs !== undefined && { 'lovage.dueAt': new Date(Math.ceil(dueMs)) }),
      ...(notBeforeMs !== undefined && { 'lovage.due': true }),
      ...(payload !== undefined && { payload: withHeaders(payload, headers ?? {}) }),
    },
    $unset: { 'lovage.claim': true },
    $inc: { 'lovage.spent': unspent ? 0 : 1 },
  }
  return { updateOne: { filter: filterOf(owner, delivery), update } }
}

import type { ResultBackend, TaskRecord } from '../../backend/contract.js'
import type { Broker, Consumer, Delivery, HandBack, Outgoing } from '../../broker/contract.js'
import { PublishError } from '../../errors/errors.js'
import { failpoint } from '../../util/failpoint.js'
import { append } from '../../util/long-list.js'
import type { SettleItem } from './settle-item.js'

/** Where settlements are written when no single store holds queue and results. */
export interface Stores {
  readonly broker: Broker
  readonly consumer: Consumer
  readonly backend: ResultBackend | undefined
}

/**
 * Settle in the written order: check the claim, publish, store, acknowledge.
 *
 * A crash in between runs the task again, and what was published is published twice; nothing is lost. Each step is
 * noted at its item, so that a second try after an error goes on where the first one stopped.
 *
 * @returns The deliveries whose claim was lost.
 */
export async function settleInOrder(
  stores: Stores,
  items: readonly SettleItem[],
): Promise<readonly Delivery[]> {
  const held = await holding(stores, items)
  failpoint('worker.before-publish')
  await publishAll(stores.broker, held)
  failpoint('worker.before-store')
  await storeAll(stores.backend, held)
  failpoint('worker.before-ack')
  const lost = await endAll(stores.consumer, held)
  if (held.length === items.length) return lost
  const kept = new Set(held)
  return [...lost, ...items.filter((item) => !kept.has(item)).map((item) => item.delivery)]
}

/**
 * The items whose claim still holds, and those that need none because they were acknowledged before the run.
 *
 * Asked only where something is written before the acknowledgement, which tells by itself.
 */
async function holding(
  { broker, consumer }: Stores,
  items: readonly SettleItem[],
): Promise<readonly SettleItem[]> {
  if (broker.capabilities.claims === 'connection') return items
  if (!items.some(writesFirst)) return items
  const claimed = items.filter((item) => !item.acked)
  if (claimed.length === 0) return items
  const held = new Set(await consumer.verify?.(claimed.map((item) => item.delivery)))
  return held.size === claimed.length ? items : items.filter((item) => item.acked || held.has(item.delivery))
}

function writesFirst({ acked, settlement }: SettleItem): boolean {
  return !acked && (settlement.publish.length > 0 || settlement.record !== undefined)
}

async function publishAll(broker: Broker, items: readonly SettleItem[]): Promise<void> {
  const waiting = items.filter((item) => item.stage === 'new' && item.settlement.publish.length > 0)
  if (waiting.length === 0) return
  const batch: Outgoing[] = []
  for (const item of waiting) append(batch, item.settlement.publish)
  try {
    await broker.publish(batch)
  } catch (error) {
    if (error instanceof PublishError) notePublished(waiting, error)
    throw error
  }
  for (const item of waiting) item.stage = 'published'
}

/** An item all of whose messages were confirmed is not published again. */
function notePublished(items: readonly SettleItem[], { indexes }: PublishError): void {
  const failed = new Set(indexes)
  let from = 0
  for (const item of items) {
    const end = from + item.settlement.publish.length
    let confirmed = true
    for (let index = from; index < end; index += 1) confirmed &&= !failed.has(index)
    if (confirmed) item.stage = 'published'
    from = end
  }
}

async function storeAll(backend: ResultBackend | undefined, items: readonly SettleItem[]): Promise<void> {
  if (backend === undefined) return
  const byTtl = new Map<number, TaskRecord[]>()
  for (const { stage, settlement } of items) {
    if (stage === 'stored' || settlement.record === undefined) continue
    const ttlMs = settlement.recordTtlMs ?? 0
    const records = byTtl.get(ttlMs)
    if (records === undefined) byTtl.set(ttlMs, [settlement.record])
    else records.push(settlement.record)
  }
  for (const [ttlMs, records] of byTtl) await backend.store(records, { ttlMs })
  for (const item of items) item.stage = 'stored'
}

async function endAll(consumer: Consumer, items: readonly SettleItem[]): Promise<readonly Delivery[]> {
  const acks: Delivery[] = []
  const handBacks: HandBack[] = []
  for (const { acked, delivery, settlement } of items) {
    if (acked) continue
    if (settlement.handBack === undefined) acks.push(delivery)
    else handBacks.push({ delivery, ...settlement.handBack })
  }
  const lost = acks.length === 0 ? [] : await consumer.ack(acks)
  return handBacks.length === 0 ? lost : [...lost, ...(await consumer.handBack(handBacks))]
}

/**
 * What MongoDB's driver can do with Celery's messages: batches of 100 that are found, claimed by one update,
 * decoded, and deleted while the next is claimed.
 */
import { randomUUID } from 'node:crypto'
import { MongoClient } from 'mongodb'
import type { Sample } from '../harness/scenario.js'
import { Stopwatch } from '../harness/stopwatch.js'
import { handle, rawEnvelope } from './redis-raw.js'

const BATCH = 100

interface RawMessage {
  readonly payload: string
  readonly queue: string
  readonly priority: number
}

/** Drain what was inserted before. */
export async function rawDrain(url: string, count: number): Promise<Sample> {
  const client = await MongoClient.connect(url, { writeConcern: { w: 'majority' } })
  const messages = client.db().collection<RawMessage>('messages')
  await messages.createIndex({ queue: 1, priority: 1, _id: 1 })
  for (let from = 0; from < count; from += 1000) {
    const batch = Array.from({ length: 1000 }, (_, index) => rawEnvelope(from + index))
    await messages.insertMany(batch.map((payload) => ({ payload, queue: 'celery', priority: 9 })))
  }
  const stopwatch = new Stopwatch()
  let decoded = 0
  let deleting: Promise<unknown> = Promise.resolve()
  for (;;) {
    const found = await messages
      .find({ queue: 'celery' }, { sort: { priority: 1, _id: 1 }, limit: BATCH })
      .toArray()
    if (found.length === 0) break
    const ids = found.map(({ _id }) => _id)
    const claimed = { queue: 'claimed', claim: randomUUID() }
    await messages.updateMany({ _id: { $in: ids }, queue: 'celery' }, { $set: claimed })
    await deleting
    for (const { payload } of found) decoded += await handle(payload)
    // While the next batch is found and claimed.
    deleting = messages.deleteMany({ _id: { $in: ids }, ...claimed })
  }
  await deleting
  const sample = stopwatch.read(count)
  await client.close()
  if (decoded !== count) throw new Error(`Drained ${decoded} of ${count}.`)
  return sample
}

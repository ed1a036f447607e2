/**
 * What MongoDB's driver can do with Celery's messages: batches of 100 that are found, claimed by one update,
 * decoded, and deleted while the next is claimed.
 */
import { randomUUID } from 'node:crypto'
import { MongoClient } from 'mongodb'
import type { Collection, ObjectId } from 'mongodb'
import type { Sample } from '../harness/scenario.js'
import { Stopwatch } from '../harness/stopwatch.js'
import { handle, rawEnvelope } from './redis-raw.js'

const BATCH = 100

interface RawMessage {
  readonly payload: string
  readonly queue: string
  readonly priority: number
}

/** Claims under way at once, where each message is claimed by itself. */
const SIDE_BY_SIDE = 10

async function filled(
  url: string,
  count: number,
): Promise<{ client: MongoClient; messages: Collection<RawMessage> }> {
  const client = await MongoClient.connect(url, { writeConcern: { w: 'majority' } })
  const messages = client.db().collection<RawMessage>('messages')
  await messages.createIndex({ queue: 1, priority: 1, _id: 1 })
  for (let from = 0; from < count; from += 1000) {
    const batch = Array.from({ length: 1000 }, (_, index) => rawEnvelope(from + index))
    await messages.insertMany(batch.map((payload) => ({ payload, queue: 'celery', priority: 9 })))
  }
  return { client, messages }
}

/** Drain by `findOneAndUpdate`, a message at a time, ten side by side; what is done is deleted by the hundred. */
export async function rawDrainOneByOne(url: string, count: number): Promise<Sample> {
  const { client, messages } = await filled(url, count)
  const stopwatch = new Stopwatch()
  const deleting: Promise<unknown>[] = []
  let done: ObjectId[] = []
  const claimed = { queue: 'claimed', claim: randomUUID() }
  const lane = async (): Promise<void> => {
    for (;;) {
      const found = await messages.findOneAndUpdate(
        { queue: 'celery' },
        { $set: claimed },
        { sort: { priority: 1, _id: 1 } },
      )
      if (found === null) return
      await handle(found.payload)
      done.push(found._id)
      if (done.length < BATCH) continue
      deleting.push(messages.deleteMany({ _id: { $in: done }, ...claimed }))
      done = []
    }
  }
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, lane))
  await Promise.all([...deleting, messages.deleteMany({ _id: { $in: done }, ...claimed })])
  const sample = stopwatch.read(count)
  await client.close()
  return sample
}

/** Drain what was inserted before. */
export async function rawDrain(url: string, count: number): Promise<Sample> {
  const { client, messages } = await filled(url, count)
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

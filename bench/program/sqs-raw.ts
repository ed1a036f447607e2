/** What the SDK can do with Celery's messages: receive ten, decode them, delete ten, eight such rounds under way. */
import { DeleteMessageBatchCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import type { Sample } from '../harness/scenario.js'
import { Stopwatch } from '../harness/stopwatch.js'
import { fill, type SqsPlace } from './sqs-place.js'

const LANES = 8

/** Drain what was sent before. */
export async function rawSqsDrain(place: SqsPlace, count: number): Promise<Sample> {
  const { client, queueUrl: QueueUrl } = place
  await fill(place, count)
  let done = 0
  const stopwatch = new Stopwatch()
  const lane = async (): Promise<void> => {
    while (done < count) {
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 30 }),
      )
      if (Messages.length === 0) continue
      for (const { Body = '' } of Messages) decode(Body)
      const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }))
      await client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }))
      done += Messages.length
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return stopwatch.read(count)
}

/** Send built messages. */
export async function rawSqsEnqueue(place: SqsPlace, count: number): Promise<Sample> {
  await fill(place, 1_000)
  const stopwatch = new Stopwatch()
  await fill(place, count)
  return stopwatch.read(count)
}

function decode(body: string): void {
  const envelope: unknown = JSON.parse(Buffer.from(body, 'base64').toString())
  const inner = typeof envelope === 'object' && envelope !== null && 'body' in envelope ? envelope.body : ''
  const parsed: unknown = JSON.parse(Buffer.from(String(inner), 'base64').toString())
  if (!Array.isArray(parsed)) throw new TypeError('the body is no list')
}

import { randomBytes } from 'node:crypto'
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { serviceUrl } from '../../test/support/service-url.js'
import { SqsServer } from '../../test/support/sqs-server.js'
import type { Sample } from '../harness/scenario.js'
import { rawEnvelope } from './redis-raw.js'

/** A queue on a server, and a client of it. */
export interface SqsPlace {
  readonly url: string
  readonly queue: string
  readonly queueUrl: string
  readonly client: SQSClient
}

/** Do `work` with a queue of its own: on the server that `LOVAGE_TEST_SQS_URL` names, else on one that is started. */
export async function withSqs(work: (place: SqsPlace) => Promise<Sample>): Promise<Sample> {
  const given = serviceUrl('sqs')
  if (given !== undefined) return onQueue(given, work)
  await using server = await SqsServer.start()
  return await onQueue(server.url, work)
}

async function onQueue(url: string, work: (place: SqsPlace) => Promise<Sample>): Promise<Sample> {
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true'
  const { host, searchParams } = new URL(url.replace(/^sqs:/, 'http:'))
  const client = new SQSClient({
    endpoint: `http://${host}`,
    region: searchParams.get('region') ?? '',
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
    useQueueUrlAsEndpoint: false,
    md5: false,
    requestHandler: { httpAgent: { maxSockets: 256 } },
  })
  const queue = `bench-${randomBytes(5).toString('hex')}`
  const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName: queue }))
  try {
    return await work({ url, queue, queueUrl: QueueUrl, client })
  } finally {
    await client.send(new DeleteQueueCommand({ QueueUrl }))
    client.destroy()
  }
}

/** Send messages of the bench's task, ten in a request, eight requests under way. */
export async function fill({ client, queueUrl }: SqsPlace, count: number): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < count) {
      const from = next
      next += 10
      const Entries = Array.from({ length: Math.min(10, count - from) }, (_, index) => ({
        Id: String(index),
        MessageBody: Buffer.from(rawEnvelope(from + index)).toString('base64'),
      }))
      await client.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }))
    }
  }
  await Promise.all(Array.from({ length: 8 }, lane))
}

/** Resolves when the queue has neither waiting nor claimed messages. */
export async function emptied({ client, queueUrl }: SqsPlace): Promise<void> {
  for (;;) {
    const { Attributes } = await client.send(
      new GetQueueAttributesCommand({
        QueueUrl: queueUrl,
        AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
      }),
    )
    if (Object.values(Attributes ?? {}).every((value) => Number(value) === 0)) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

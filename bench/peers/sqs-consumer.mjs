/** sqs-consumer drains a queue: `node sqs-consumer.mjs <url> <queue url> <count>`; prints a sample as JSON. */
import { Buffer } from 'node:buffer'
import { SQSClient } from '@aws-sdk/client-sqs'
import { Consumer } from 'sqs-consumer'

const [, , url, queueUrl, countText] = process.argv
const count = Number(countText)
const { host, searchParams } = new URL(url.replace(/^sqs:/, 'http:'))
const sqs = new SQSClient({
  endpoint: `http://${host}`,
  region: searchParams.get('region') ?? '',
  credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
  useQueueUrlAsEndpoint: false,
})

let began
let cpu
let ran = 0
const decode = (text) => JSON.parse(Buffer.from(text, 'base64').toString())

// As its documentation advises for throughput: batches of ten, deleted as such.
const consumer = Consumer.create({
  sqs,
  queueUrl,
  batchSize: 10,
  waitTimeSeconds: 1,
  handleMessageBatch: async (messages) => {
    began ??= performance.now()
    cpu ??= process.cpuUsage()
    for (const { Body } of messages) ran += decode(decode(Body).body).length > 0 ? 1 : 0
    return messages
  },
})
consumer.on('response_processed', () => {
  if (ran < count) return
  const { user, system } = process.cpuUsage(cpu)
  const sample = { perSecond: (count / (performance.now() - began)) * 1000, cpuUs: (user + system) / count }
  process.stdout.write(JSON.stringify(sample), () => process.exit(0))
})
consumer.start()

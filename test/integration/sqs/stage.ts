import {
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { createBroker } from '../../../brokers/sqs/index.js'
import { quietSdk } from '../../../brokers/sqs/quiet-sdk.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import type { Broker } from '../../../src/broker/contract.js'
import { guardBroker } from '../../../src/broker/guard.js'
import { SqsGate } from '../../support/sqs-gate.js'
import { randomName } from '../../support/temp.js'

/** What nothing ends early. */
export const never: AbortSignal = new AbortController().signal

/** A gate before a server, brokers that pass it, and a client that does not; `await using` ends all of it. */
export class SqsStage implements AsyncDisposable {
  readonly gate: SqsGate
  /** Start of all names that this stage uses. */
  readonly prefix: string
  readonly client: SQSClient
  readonly #opened: { close(): Promise<void> }[] = []

  private constructor(gate: SqsGate, client: SQSClient) {
    this.gate = gate
    this.client = client
    this.prefix = `${randomName('t')}-`
  }

  static async open(server: string): Promise<SqsStage> {
    quietSdk()
    const { host, searchParams } = new URL(server.replace(/^sqs:/, 'http:'))
    const client = new SQSClient({
      endpoint: `http://${host}`,
      region: searchParams.get('region') ?? '',
      credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
      useQueueUrlAsEndpoint: false,
    })
    return new SqsStage(await SqsGate.open(server), client)
  }

  /** A connected broker whose queues begin with {@link prefix}, unless `options` say otherwise. */
  async broker(options: Readonly<Record<string, unknown>> = {}): Promise<Broker> {
    const transportOptions = { queue_name_prefix: this.prefix, ...options }
    const broker = guardBroker(createBroker(parseConnectionUrl(this.gate.url), { transportOptions }))
    this.#opened.unshift(broker)
    await broker.connect(never)
    return broker
  }

  /** A broker with one queue. */
  async queue(name: string, options: Readonly<Record<string, unknown>> = {}): Promise<Broker> {
    const broker = await this.broker(options)
    await broker.declare({ name, lifetime: 'durable', bindings: [] })
    return broker
  }

  /** Where a queue is, by its name at the service. */
  async urlOf(serviceName: string): Promise<string> {
    const { QueueUrl = '' } = await this.client.send(new GetQueueUrlCommand({ QueueName: serviceName }))
    return QueueUrl
  }

  /** What the service counts of a queue, by its name there: ready, claimed, held. */
  async counts(serviceName: string): Promise<readonly number[]> {
    const names = ['', 'NotVisible', 'Delayed'].map((end) => `ApproximateNumberOfMessages${end}`)
    const { Attributes } = await this.client.send(
      new GetQueueAttributesCommand({ QueueUrl: await this.urlOf(serviceName), AttributeNames: ['All'] }),
    )
    const found = new Map(Object.entries(Attributes ?? {}))
    return names.map((name) => Number(found.get(name)))
  }

  /** The body of a message that is ready, by the queue's name at the service. */
  async peek(serviceName: string): Promise<string | undefined> {
    const { Messages = [] } = await this.client.send(
      new ReceiveMessageCommand({
        QueueUrl: await this.urlOf(serviceName),
        VisibilityTimeout: 0,
        WaitTimeSeconds: 2,
      }),
    )
    return Messages[0]?.Body
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#opened) await one.close().catch(() => undefined)
    this.client.destroy()
    await this.gate[Symbol.asyncDispose]()
  }
}

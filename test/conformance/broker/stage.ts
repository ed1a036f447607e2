import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type {
  Broker,
  ConsumeOptions,
  Consumer,
  Delivery,
  Outgoing,
  QueueSpec,
} from '../../../src/broker/contract.js'
import type { ResultBackend } from '../../../src/backend/contract.js'
import type { Message } from '../../../src/message/message.js'
import type { Check } from '../check.js'
import { never } from '../time.js'
import type { BrokerPart, BrokerSubject } from './subject.js'

/** What a test may need: parts of the contract, and hooks of the subject. */
export type BrokerNeed = BrokerPart | 'crash' | 'restart'

/** A test of the broker contract. */
export type BrokerCheck = Check<BrokerStage, BrokerNeed>

/** A list of tests, whose stages get their type here. */
export function brokerChecks(list: readonly BrokerCheck[]): readonly BrokerCheck[] {
  return list
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** What a message may say beside its text. */
export interface Extras {
  readonly delayMs?: number
  readonly notBeforeMs?: number
  readonly headers?: Message['headers']
  readonly properties?: Message['properties']
}

/** A connected broker with one fresh queue, and everything a test opens beside it, closed at its end. */
export class BrokerStage {
  readonly subject: BrokerSubject
  readonly broker: Broker
  readonly queue: string
  readonly #opened: { close(): Promise<void> }[]

  private constructor(subject: BrokerSubject, broker: Broker, queue: string) {
    this.subject = subject
    this.broker = broker
    this.queue = queue
    this.#opened = [broker]
  }

  /** Run one test on a stage of its own. */
  static async run(subject: BrokerSubject, test: (stage: BrokerStage) => Promise<void>): Promise<void> {
    const broker = await subject.open()
    const stage = new BrokerStage(subject, broker, newName('queue'))
    try {
      await broker.connect(never)
      await stage.declare(stage.queue)
      await test(stage)
    } finally {
      await stage.#close()
    }
  }

  /** Lease of tests that let one run out, in milliseconds. */
  get leaseMs(): number {
    return this.subject.leaseMs ?? 400
  }

  /** Delay of tests that wait for one, in milliseconds. */
  get delayMs(): number {
    return this.subject.delayMs ?? 300
  }

  /** Another connected instance on the same store. */
  async open(): Promise<Broker> {
    const broker = await this.subject.open()
    this.#opened.push(broker)
    await broker.connect(never)
    return broker
  }

  /** A connected result backend on the same store. */
  async openResults(): Promise<ResultBackend> {
    assert.ok(this.subject.openResults, 'a subject that offers `settle` has `openResults`')
    const backend = await this.subject.openResults()
    this.#opened.push(backend)
    await backend.connect(never)
    return backend
  }

  /** Declare a queue without bindings. */
  async declare(name: string = newName('queue')): Promise<string> {
    await this.broker.declare(this.queueSpec(name))
    return name
  }

  /** A queue without bindings. */
  queueSpec(name: string): QueueSpec {
    const { queueArguments } = this.subject
    const spec = { name, lifetime: 'durable', bindings: [] } as const
    return queueArguments === undefined ? spec : { ...spec, arguments: queueArguments }
  }

  /** Publish texts to the stage's queue, in one batch. */
  async publish(texts: readonly string[], extras: Extras = {}): Promise<void> {
    await this.broker.publish(texts.map((text) => this.outgoing(text, extras)))
  }

  /** A message to the stage's queue, or to another. */
  outgoing(text: string, extras: Extras = {}, queue: string = this.queue): Outgoing {
    const { delayMs, notBeforeMs } = extras
    return {
      route: { exchange: '', routingKey: queue },
      message: toMessage(text, extras),
      ...(delayMs === undefined ? {} : { delayMs }),
      ...(notBeforeMs === undefined ? {} : { notBeforeMs }),
    }
  }

  /** Open a consumer on the stage's queue. */
  async consume(options: Partial<ConsumeOptions> = {}, broker: Broker = this.broker): Promise<Consumer> {
    return this.consumeFrom([this.queue], options, broker)
  }

  /** Open a consumer on queues. */
  async consumeFrom(
    queues: readonly string[],
    options: Partial<ConsumeOptions> = {},
    broker: Broker = this.broker,
  ): Promise<Consumer> {
    const consumer = await broker.consume(queues, { credit: 1_000, leaseMs: 30_000, ...options })
    this.#opened.unshift(consumer)
    return consumer
  }

  /** Deliveries of the stage's queue that another consumer finds now, given back afterwards. */
  async peek(): Promise<readonly Delivery[]> {
    const consumer = await this.consume()
    const found = await drain(consumer)
    await consumer.close()
    return found
  }

  async #close(): Promise<void> {
    // A test may have closed the broker; its queue then stays.
    await this.broker.delete(this.queue).catch(() => undefined)
    await Promise.allSettled(this.#opened.map((one) => one.close()))
  }
}

/** A name nobody else uses. */
export function newName(kind: string): string {
  return `test-${kind}-${randomUUID().slice(0, 13)}`
}

/** A text as a message. */
export function toMessage(text: string, extras: Pick<Extras, 'headers' | 'properties'> = {}): Message {
  return {
    body: encoder.encode(text),
    contentType: 'text/plain',
    contentEncoding: 'utf-8',
    headers: extras.headers ?? {},
    properties: extras.properties ?? {},
  }
}

/** The text of a delivery. */
export function textOf(delivery: Delivery): string {
  return decoder.decode(delivery.message.body)
}

/** The texts of deliveries. */
export function textsOf(deliveries: readonly Delivery[]): string[] {
  return deliveries.map(textOf)
}

/** Fetch until there are `count` deliveries; fails when they do not come. */
export async function take(consumer: Consumer, count: number, waitMs = 5_000): Promise<Delivery[]> {
  const taken: Delivery[] = []
  while (taken.length < count) {
    const batch = await consumer.fetch(count - taken.length, { waitMs, signal: never })
    assert.ok(
      batch.length > 0,
      `${String(taken.length)} of ${String(count)} deliveries came: ${textsOf(taken).join()}`,
    )
    taken.push(...batch)
  }
  return taken
}

/** The one delivery that comes next. */
export async function takeOne(consumer: Consumer, waitMs = 5_000): Promise<Delivery> {
  const [delivery] = await take(consumer, 1, waitMs)
  assert.ok(delivery)
  return delivery
}

/** Fetch until nothing is there. */
export async function drain(consumer: Consumer): Promise<Delivery[]> {
  const taken: Delivery[] = []
  for (;;) {
    const batch = await consumer.fetch(100, { waitMs: 0, signal: never })
    if (batch.length === 0) return taken
    taken.push(...batch)
  }
}

/** Nothing can be fetched within `waitMs`. */
export async function assertNothing(consumer: Consumer, waitMs = 0): Promise<void> {
  assert.deepEqual(textsOf(await consumer.fetch(1, { waitMs, signal: never })), [])
}

/** The error an action rejects with. */
export async function errorOf(action: Promise<unknown>): Promise<Error> {
  try {
    await action
  } catch (error) {
    assert.ok(error instanceof Error)
    return error
  }
  assert.fail('it was not refused')
}

/** The code of the error an action rejects with. */
export async function codeOf(action: Promise<unknown>): Promise<unknown> {
  const error = await errorOf(action)
  return 'code' in error ? error.code : error
}

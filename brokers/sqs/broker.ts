import { randomUUID } from 'node:crypto'
import { PurgeQueueCommand } from '@aws-sdk/client-sqs'
import type {
  Broker,
  BrokerCapabilities,
  ConsumeOptions,
  Consumer,
  Outgoing,
  QueueSpec,
} from '../../src/broker/contract.js'
import { UnsupportedError } from '../../src/errors/errors.js'
import { deleteAll } from './batches.js'
import { LeasedConsumer } from '../../src/broker/leased-consumer.js'
import { SqsClaims } from './claims.js'
import { Directory } from './directory.js'
import { asBroker } from '../../src/broker/store-failure.js'
import { SqsFailure } from './failure.js'
import { LeaseDeadlines } from './lease-deadlines.js'
import { SqsLeases } from './leases.js'
import { bringHome } from './long-claims/lost-copies.js'
import { LongClaims } from './long-claims/long-claims.js'
import { Publisher } from './publisher.js'
import type { QueueRef } from './queue-ref.js'
import { receive } from './received.js'
import { Returner } from './returner.js'
import type { SqsSettings } from './settings.js'
import { BATCH_LIMIT } from './batching.js'
import { Topology } from './topology.js'

const LOOK_FOR_COPIES_MS = 300_000

/** Amazon SQS, and what speaks its protocol. */
export class SqsBroker implements Broker {
  readonly name = 'sqs'
  readonly capabilities: BrokerCapabilities = {
    maxBatch: 200,
    maxDelayMs: Number.POSITIVE_INFINITY,
    priorityLevels: 1,
    claims: 'leased',
    depth: 'approximate',
    exchanges: ['direct', 'topic'],
    durable: true,
  }
  readonly leases: SqsLeases
  readonly #settings: SqsSettings
  readonly #directory: Directory
  readonly #topology = new Topology()
  readonly #book = new LeaseDeadlines()
  readonly #publisher: Publisher
  readonly #longClaims: LongClaims
  readonly #returner: Returner
  readonly #consumers = new Set<Consumer>()
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(settings: SqsSettings) {
    this.#settings = settings
    const { isBase64, predefined } = settings
    const directory = new Directory(settings)
    this.#directory = directory
    this.leases = new SqsLeases({ directory, book: this.#book, settings })
    this.#publisher = new Publisher({ directory, topology: this.#topology, isBase64 })
    this.#longClaims = new LongClaims({ directory, book: this.#book, settings })
    this.#returner = new Returner({
      isBase64,
      predefined,
      now: () => directory.now(),
      longClaims: this.#longClaims,
    })
  }

  /** Requests made so far, by which the service bills; tries of the SDK left out. */
  get requests(): number {
    return this.#directory.requests
  }

  async connect(signal: AbortSignal): Promise<void> {
    await asBroker(() => this.#directory.reach(signal))
  }

  async declare(queue: QueueSpec): Promise<void> {
    const levels = queue.arguments?.['x-max-priority']
    if (levels !== undefined) {
      throw new UnsupportedError(`broker "sqs" has no priorities, which queue "${queue.name}" asks for`)
    }
    await asBroker(() => this.#directory.declare(queue.name))
    this.#topology.declare(queue)
  }

  publish(batch: readonly Outgoing[]): Promise<void> {
    return asBroker(() => this.#publisher.publish(batch))
  }

  async consume(queues: readonly string[], options: ConsumeOptions): Promise<Consumer> {
    const refs = await asBroker(() => Promise.all(queues.map((queue) => this.#directory.find(queue))))
    this.#lookForCopies()
    const claims = new SqsClaims({
      refs,
      options,
      holder: `lovage-${randomUUID()}`,
      settings: this.#settings,
      book: this.#book,
      returner: this.#returner,
      longClaims: this.#longClaims,
      now: () => this.#directory.now(),
      missing: (queue) => {
        this.#directory.forget(queue)
      },
    })
    const consumer = new LeasedConsumer(claims, {
      credit: options.credit,
      asBroker,
      // Requests outlive the fetch that began them; the release waits for them.
      closeMs: 0,
      closed: () => this.#consumers.delete(consumer),
    })
    this.#consumers.add(consumer)
    return consumer
  }

  async depth(queue: string): Promise<number> {
    return asBroker(async () => (await this.#counts(queue)).ready)
  }

  purge(queue: string): Promise<number> {
    return asBroker(() => this.#purge(queue))
  }

  async serverTime(): Promise<number> {
    return this.#directory.now()
  }

  queues(): Promise<readonly string[]> {
    return asBroker(async () => this.#directory.names())
  }

  async delete(queue: string): Promise<void> {
    this.#topology.delete(queue)
    await asBroker(() => unlessMissing(() => this.#directory.delete(queue)))
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    clearInterval(this.#timer)
    await Promise.allSettled([...this.#consumers].map((consumer) => consumer.close()))
    this.#book.close()
    this.#directory.close()
  }

  async #counts(queue: string): ReturnType<Directory['counts']> {
    return (
      (await unlessMissing(async () => this.#directory.counts(await this.#directory.find(queue)))) ?? NONE
    )
  }

  /** `PurgeQueue` drops claimed messages too, so with claims about, only what is ready goes, message by message. */
  async #purge(queue: string): Promise<number> {
    const { ready, delayed, claimed } = await this.#counts(queue)
    if (ready + delayed === 0) return 0
    const ref = await this.#directory.find(queue)
    if (claimed > 0) return this.#empty(ref)
    await ref.service.ask((client, options) =>
      client.send(new PurgeQueueCommand({ QueueUrl: ref.url }), options),
    )
    return ready + delayed
  }

  async #empty(ref: QueueRef): Promise<number> {
    const { ceilingMs, attributeNames } = this.#settings
    const signal = new AbortController().signal
    const wish = { most: BATCH_LIMIT, waitSeconds: 1, leaseMs: 30_000, ceilingMs, attributeNames, signal }
    let count = 0
    for (;;) {
      const found = await receive(ref, wish)
      if (found.length === 0) return count
      count += found.length
      await deleteAll(found.map(({ handle }) => ({ ref, handle })))
    }
  }

  /** Whether a worker died over a task of more than twelve hours, asked now and then. */
  #lookForCopies(): void {
    if (this.#timer !== undefined || this.#settings.predefined.size > 0) return
    const look = (): void => {
      // Whoever may not list queues cannot make any either, and leaves none.
      bringHome(this.#directory, this.#settings).catch(() => undefined)
    }
    look()
    this.#timer = setInterval(look, Math.min(LOOK_FOR_COPIES_MS, this.#settings.ceilingMs / 4)).unref()
  }
}

const NONE = { ready: 0, delayed: 0, claimed: 0 }

async function unlessMissing<Value>(work: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof SqsFailure && error.kind === 'missing') return undefined
    throw error
  }
}

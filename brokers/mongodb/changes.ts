import type { ChangeStream, Collection, Document } from 'mongodb'
import { isRecord } from '../../src/util/record.js'
import { CLAIMED_RANGE, isDelayedName } from './names.js'

/** Is called for a change that may matter to it. */
export interface ChangeListener {
  /** Queues that it waits for. */
  readonly queues: ReadonlySet<string>
  changed(): void
}

/** A stream that was opened this long ago hears everything, in milliseconds. */
const OPENING_MS = 1_000
const REOPEN_AFTER_MS = 1_000
/** After so many changes that nobody waited for, the stream is closed. */
const MOST_UNHEARD = 100
/** How often to look where changes are not heard of: while there was work lately, and later. */
const EAGER_POLL_MS = 40
const LAZY_POLL_MS = 750
const EAGER_FOR_MS = 10_000
/** The same as a backstop, where changes are heard of. */
const BACKSTOP_MS = 3_000

/** What enters a queue: new messages, and those that are given back or become due. */
const PIPELINE: Document[] = [
  {
    $match: {
      $or: [
        { operationType: 'insert' },
        {
          $and: [
            { operationType: 'update' },
            { 'updateDescription.updatedFields.queue': { $exists: true } },
            {
              $or: [
                { 'updateDescription.updatedFields.queue': { $lt: CLAIMED_RANGE.from } },
                { 'updateDescription.updatedFields.queue': { $gte: CLAIMED_RANGE.to } },
              ],
            },
          ],
        },
      ],
    },
  },
  {
    $project: {
      _id: 1,
      operationType: 1,
      'fullDocument.queue': 1,
      'updateDescription.updatedFields.queue': 1,
    },
  },
]

/**
 * Tells consumers of one broker that there may be something for them.
 *
 * Changes of this process are notified at once. Those of others come by a change stream where the server has them; it is open
 * while somebody waits. Without one, and as a backstop with one, consumers look again after {@link Changes.pollMs}.
 */
export class Changes {
  readonly #messages: Collection
  readonly #isStreamed: boolean
  readonly #listeners = new Set<ChangeListener>()
  #stream: ChangeStream | undefined
  #openedAtMs = 0
  #workedAtMs = performance.now()
  #count = 0
  #unheard = 0
  #isClosed = false

  constructor(messages: Collection, isStreamed: boolean) {
    this.#messages = messages
    this.#isStreamed = isStreamed
  }

  /** How many changes were heard of; two equal numbers mean that none came in between. */
  get count(): number {
    return this.#count
  }

  /** How long a consumer that found nothing waits at most, in milliseconds. */
  get pollMs(): number {
    const nowMs = performance.now()
    // Processes that were started together do not stay in step.
    const spread = 0.8 + 0.4 * Math.random()
    const isHearing = this.#stream !== undefined && nowMs - this.#openedAtMs > OPENING_MS
    if (isHearing) return BACKSTOP_MS * spread
    return (nowMs - this.#workedAtMs < EAGER_FOR_MS ? EAGER_POLL_MS : LAZY_POLL_MS) * spread
  }

  /** There was work: look often for a while. */
  worked(): void {
    this.#workedAtMs = performance.now()
  }

  /** Tell `listener` of changes until the result is called. */
  listen(listener: ChangeListener): () => void {
    this.#listeners.add(listener)
    this.#open()
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /** Something was changed in this process. */
  signal(queue?: string): void {
    this.#count += 1
    for (const listener of [...this.#listeners]) {
      if (queue === undefined || isDelayedName(queue) || listener.queues.has(queue)) listener.changed()
    }
  }

  /** End the stream and every wait. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.signal()
    await this.#end()
  }

  #open(): void {
    const nowMs = performance.now()
    const isTooSoon = this.#openedAtMs > 0 && nowMs - this.#openedAtMs < REOPEN_AFTER_MS
    if (!this.#isStreamed || this.#isClosed || this.#stream !== undefined || isTooSoon) return
    const stream = this.#messages.watch(PIPELINE, { maxAwaitTimeMS: 1_000 })
    this.#stream = stream
    this.#openedAtMs = nowMs
    stream.on('change', (change: Document) => {
      this.#heard(change)
    })
    stream.on('error', () => {
      if (this.#stream === stream) void this.#end()
      this.signal()
    })
  }

  #heard(change: Document): void {
    // Consumers that are busy look by themselves, and need not be sent what all others publish.
    this.#unheard = this.#listeners.size === 0 ? this.#unheard + 1 : 0
    if (this.#unheard > MOST_UNHEARD) {
      this.#unheard = 0
      this.#openedAtMs = 0
      void this.#end()
    }
    this.signal(queueOf(change))
  }

  async #end(): Promise<void> {
    const stream = this.#stream
    this.#stream = undefined
    await stream?.close().catch(() => undefined)
  }
}

function queueOf(change: Document): string | undefined {
  const whole: unknown = change['fullDocument']
  const update: unknown = change['updateDescription']
  const fields = isRecord(update) ? update['updatedFields'] : whole
  const queue = isRecord(fields) ? fields['queue'] : undefined
  return typeof queue === 'string' ? queue : undefined
}

import type { Outgoing } from '../../src/broker/contract.js'
import { LovageError, MessageTooLargeError, PublishError } from '../../src/errors/errors.js'
import { sendAll } from './batches.js'
import type { Entry, Outcomes } from './batches.js'
import type { Directory } from './directory.js'
import { newEntry } from './entries.js'
import { SqsFailure } from './failure.js'
import type { QueueRef } from './queue-ref.js'
import type { Topology } from './topology.js'

/** What a publisher works with. */
export interface PublisherParts {
  readonly directory: Directory
  readonly topology: Topology
  readonly isBase64: boolean
}

/** What the service's clock may be ahead of what its answers say: their header counts whole seconds. */
const HEADER_MS = 1_000

/** Turns messages into entries and sends them. */
export class Publisher {
  readonly #parts: PublisherParts

  constructor(parts: PublisherParts) {
    this.#parts = parts
  }

  /** Send a batch. @throws `PublishError` that names what was not confirmed. */
  async publish(batch: readonly Outgoing[]): Promise<void> {
    const errors = new Map<number, LovageError>()
    const positions = new Map<Entry, number>()
    for (const [position, outgoing] of batch.entries()) {
      try {
        for (const entry of await this.#entries(outgoing)) positions.set(entry, position)
      } catch (error) {
        if (!(error instanceof LovageError)) throw error
        errors.set(position, error instanceof SqsFailure ? error.toBrokerError() : error)
      }
    }
    for (const [entry, failure] of await this.#send([...positions.keys()])) {
      if (failure !== undefined) errors.set(positions.get(entry) ?? 0, failure.toBrokerError())
    }
    if (errors.size > 0) throw refusal(batch, errors)
  }

  /** A queue that was declared here and has gone since is made again, once. */
  async #send(entries: readonly Entry[]): Promise<Outcomes<Entry>> {
    const { directory } = this.#parts
    const outcomes = await sendAll(entries)
    const homeless = new Map<Entry, Entry>()
    for (const [entry, failure] of outcomes) {
      if (failure?.kind !== 'missing') continue
      directory.forget(entry.ref.name)
      const ref = await this.#find(entry.ref.name).catch(() => undefined)
      if (ref !== undefined) homeless.set({ ...entry, ref }, entry)
    }
    for (const [again, failure] of await sendAll([...homeless.keys()])) {
      const entry = homeless.get(again)
      if (entry !== undefined) outcomes.set(entry, failure)
    }
    return outcomes
  }

  async #find(queue: string): Promise<QueueRef> {
    const { directory, topology } = this.#parts
    return topology.isDeclared(queue) ? directory.declare(queue) : directory.find(queue)
  }

  async #entries(outgoing: Outgoing): Promise<readonly Entry[]> {
    const { directory, topology, isBase64 } = this.#parts
    const form = { isBase64, now: directory.now() + HEADER_MS }
    const entries: Entry[] = []
    for (const queue of topology.reached(outgoing.route)) {
      const entry = newEntry(outgoing, await this.#find(queue), form)
      const limit = await directory.limitOf(entry.ref, entry.bytes)
      if (entry.bytes > limit) throw new MessageTooLargeError(queue, entry.bytes, limit)
      entries.push(entry)
    }
    if (entries.length > 0) return entries
    const { exchange, routingKey } = outgoing.route
    throw new PublishError(
      `no queue is reached by exchange "${exchange}" and routing key "${routingKey}"`,
      [],
    )
  }
}

/** One error for the batch; where all failed for one reason that passes, that reason. */
function refusal(batch: readonly Outgoing[], errors: ReadonlyMap<number, LovageError>): LovageError {
  const indexes = [...errors.keys()].sort((one, other) => one - other)
  // An error that trying again cannot help is the one to tell of.
  const all = [...errors.values()]
  const cause = all.find((error) => !error.retryable) ?? all[0]
  if (cause === undefined || (indexes.length === batch.length && cause.retryable))
    return cause ?? new PublishError('', indexes)
  return new PublishError(cause.message, indexes, { cause })
}

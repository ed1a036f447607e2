import type { Outgoing, Route } from '../../src/broker/contract.js'
import { BrokerError, PublishError } from '../../src/errors/errors.js'
import type { LovageError } from '../../src/errors/errors.js'
import { delayedKey, levelName, LONGEST_SECONDS, TOP_LEVEL } from './delay-names.js'
import type { Delays } from './delays.js'
import { toEnvelope } from './envelope.js'
import type { Envelope } from './envelope.js'
import { replyCode, toFailure } from './failure.js'
import { MARK } from './marks.js'
import type { Addressed, ConfirmedPublisher } from './publisher.js'
import type { Topology } from './topology.js'

/** A message with what it carries while it waits. */
export interface Sending extends Outgoing {
  readonly marks?: Readonly<Record<string, unknown>>
}

/** What a {@link Sender} works with. */
export interface SenderParts {
  readonly label: string
  readonly topology: Topology
  readonly delays: Delays
  readonly publisher: ConfirmedPublisher
}

/** Finds out where messages have to go, delayed ones through the delay queues, and publishes them. */
export class Sender {
  readonly #parts: SenderParts

  constructor(parts: SenderParts) {
    this.#parts = parts
  }

  /** Resolves when the server has every message. @throws `PublishError` that names the positions it does not have. */
  async publish(batch: readonly Sending[]): Promise<void> {
    const plain = batch.every(isPlain) ? allAtOnce(batch) : undefined
    if (plain === undefined) await this.#publishPrepared(batch)
    else await this.#parts.publisher.publish(plain)
  }

  async #publishPrepared(batch: readonly Sending[]): Promise<void> {
    const failed = new Map<number, unknown>()
    const addressed: Addressed[] = []
    const positions: number[] = []
    for (const [index, sending] of batch.entries()) {
      try {
        for (const one of await this.#prepare(sending)) {
          addressed.push(one)
          positions.push(index)
        }
      } catch (error) {
        failed.set(index, error)
      }
    }
    try {
      if (addressed.length > 0) await this.#parts.publisher.publish(addressed)
    } catch (error) {
      if (!(error instanceof PublishError)) throw error
      for (const place of error.indexes) failed.set(positions[place] ?? 0, error.cause)
    }
    if (failed.size > 0) throw this.#refusal(failed, batch.length)
  }

  async #prepare(sending: Sending): Promise<readonly Addressed[]> {
    const dueMs = dueOf(sending)
    if (dueMs === undefined) return this.#existing(sending)
    const waitMs = dueMs - Date.now()
    if (waitMs <= 0) return this.#existing({ ...sending, marks: { ...sending.marks, [MARK.due]: true } })
    const seconds = Math.max(1, Math.ceil(waitMs / 1000))
    const isTooFar = seconds > LONGEST_SECONDS
    const marks = isTooFar ? { ...sending.marks, [MARK.notBefore]: dueMs } : sending.marks
    const envelope = toEnvelope(sending.message, marks)
    const keys = await this.#leavingKeys(sending)
    return keys.map((key) => delayed(envelope, Math.min(seconds, LONGEST_SECONDS), key))
  }

  /** Publishing to an exchange that does not exist would close the channel, to the harm of other messages. */
  async #existing(sending: Sending): Promise<readonly Addressed[]> {
    const { exchange } = sending.route
    if (await this.#parts.topology.hasExchange(exchange)) return [atOnce(sending)]
    throw new BrokerError(`no exchange "${exchange}"`)
  }

  /** Keys by which a delayed message reaches the queues of its route. */
  async #leavingKeys({ route, message }: Sending): Promise<readonly string[]> {
    const { delays, topology } = this.#parts
    if (route.exchange === '') {
      await delays.toQueue(route.routingKey)
      return [route.routingKey]
    }
    const queues = topology.queuesBehind(route, message.headers)
    if (queues === undefined) {
      await delays.toExchange(route.exchange, route.routingKey)
      await topology.receiveDelayed(route.exchange)
      return [route.routingKey]
    }
    if (queues.length === 0) throw new BrokerError(`no declared queue is bound to ${shown(route)}`)
    for (const queue of queues) await delays.toQueue(queue)
    return queues
  }

  #refusal(failed: ReadonlyMap<number, unknown>, count: number): PublishError {
    const [first] = failed.values()
    const cause = this.#typed(first)
    const message = `${String(failed.size)} of ${String(count)} messages not published: ${cause.message}`
    return new PublishError(
      message,
      [...failed.keys()].sort((one, other) => one - other),
      { cause },
    )
  }

  #typed(error: unknown): LovageError {
    if (replyCode(error) === 404)
      return new BrokerError('its queue or exchange does not exist', { cause: error })
    return toFailure(error, this.#parts.label)
  }
}

function isPlain({ route, delayMs = 0, notBeforeMs }: Sending): boolean {
  return route.exchange === '' && delayMs <= 0 && notBeforeMs === undefined
}

function dueOf({ delayMs = 0, notBeforeMs }: Sending): number | undefined {
  if (notBeforeMs !== undefined) return notBeforeMs
  return delayMs > 0 ? Date.now() + delayMs : undefined
}

function atOnce({ route, message, marks }: Sending): Addressed {
  return { ...toEnvelope(message, marks), exchange: route.exchange, routingKey: route.routingKey }
}

/** Undefined when one of them cannot be written. */
function allAtOnce(batch: readonly Sending[]): readonly Addressed[] | undefined {
  try {
    return batch.map(atOnce)
  } catch {
    return undefined
  }
}

function delayed(envelope: Envelope, seconds: number, key: string): Addressed {
  return { ...envelope, exchange: levelName(TOP_LEVEL), routingKey: delayedKey(seconds, key) }
}

function shown({ exchange, routingKey }: Route): string {
  return `exchange "${exchange}" with key "${routingKey}"`
}

import type { ConfirmChannel, Message as AmqpMessage } from 'amqplib'
import {
  BrokerConnectionError,
  BrokerError,
  PublishError,
  QueueNotFoundError,
} from '../../src/errors/errors.js'
import type { LovageError } from '../../src/errors/errors.js'
import { withDeadline } from '../../src/util/deadline.js'
import type { Envelope } from './envelope.js'
import { replyCode, toFailure } from './failure.js'
import type { RabbitConnection } from './connection.js'
import { isRecord } from '../../src/util/record.js'

/** A message with the place it is published to. */
export interface Addressed extends Envelope {
  readonly exchange: string
  readonly routingKey: string
}

/** A channel for the messages to one exchange. */
interface Lane {
  readonly channel: ConfirmChannel
  /** Why the server closed it. */
  closedBy: unknown
}

interface Sent extends Addressed {
  readonly lane: Lane
  /** Told once. */
  readonly answered: (error: LovageError | undefined) => void
  isReturned: boolean
}

/** Another message closed the channel. */
class Interrupted extends BrokerConnectionError {}

/** How often messages are sent again that others interrupted. */
const MOST_TRIES = 5
/** How long a publish waits for a server that takes no messages; less than what the core waits for a publish. */
const BLOCKED_MS = 4_000
const FLUSH_MS = 5_000
/** The client library itself refuses headers of 64 KiB: a frame with fewer and all other properties is no longer than this. */
const CLIENT_MOST = 65_536 + 2_048

/**
 * Publishes in confirm mode, every message mandatory: what is not in a queue is an error.
 *
 * Each exchange has a channel of its own, since the server closes the channel for all that were sent on it when it refuses
 * one message: it mostly does so because of the exchange.
 *
 * Nothing is sent while the server says that it takes nothing; what had been sent before comes when it takes it.
 */
export class ConfirmedPublisher {
  readonly #connection: RabbitConnection
  readonly #lanes = new Map<string, Promise<Lane>>()
  readonly #sent = new Set<Sent>()
  #underWay = 0
  #whenFlushed: (() => void) | undefined
  /** Told of an exchange that turned out not to exist. */
  onMissing: (exchange: string) => void = () => undefined

  constructor(connection: RabbitConnection) {
    this.#connection = connection
    connection.onBlocked = () => void this.#giveUpWhenBlocked()
  }

  /**
   * Resolves when the server has every message.
   *
   * @throws {@link PublishError} that names the positions it does not have.
   */
  async publish(batch: readonly Addressed[]): Promise<void> {
    this.#underWay += 1
    try {
      await this.#publish(batch)
    } finally {
      this.#underWay -= 1
      if (this.#underWay === 0) this.#whenFlushed?.()
    }
  }

  /** Wait for what is under way. Never rejects. */
  async close(): Promise<void> {
    if (this.#underWay === 0 || !this.#connection.isOpen) return
    const flushed = new Promise<void>((resolve) => (this.#whenFlushed = resolve))
    const late = (): Error =>
      new BrokerConnectionError(`${this.#connection.label}: not everything was confirmed`)
    await withDeadline(flushed, { ms: FLUSH_MS, late }).catch(() => undefined)
  }

  async #publish(batch: readonly Addressed[]): Promise<void> {
    await this.#awaitRoom(batch)
    let failures = await this.#try(batch, [...batch.keys()])
    // What the server refused is found one at a time, in this batch or in others that were under way.
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const interrupted = [...failures].flatMap(([index, error]) =>
        error instanceof Interrupted ? [index] : [],
      )
      if (interrupted.length === 0) break
      const refused = [...failures].filter(([, error]) => !(error instanceof Interrupted))
      failures = new Map([...refused, ...(await this.#try(batch, interrupted))])
    }
    if (failures.size > 0) throw refusal(failures, batch)
  }

  /** Send the messages at these positions; resolves with what failed. */
  async #try(batch: readonly Addressed[], positions: readonly number[]): Promise<Map<number, LovageError>> {
    const lanes = new Map<string, Lane>()
    for (const { exchange } of batch)
      if (!lanes.has(exchange)) lanes.set(exchange, await this.#open(exchange))
    const failures = new Map<number, LovageError>()
    await new Promise<void>((resolve) => {
      let open = positions.length
      for (const index of positions) {
        const message = batch[index]
        if (message === undefined) throw new RangeError(`no message ${index}`)
        this.#send(lanes.get(message.exchange), message, (error) => {
          if (error !== undefined) failures.set(index, error)
          open -= 1
          if (open === 0) resolve()
        })
      }
    })
    return failures
  }

  async #awaitRoom(batch: readonly Addressed[]): Promise<void> {
    const reason = await this.#connection.untilUnblocked(BLOCKED_MS)
    if (reason === undefined) return
    const cause = this.#takesNothing(reason)
    throw new PublishError(cause.message, [...batch.keys()], { cause })
  }

  /** What was sent to a server that then says it takes nothing may be taken later, or not. */
  async #giveUpWhenBlocked(): Promise<void> {
    const reason = await this.#connection.untilUnblocked(BLOCKED_MS)
    if (reason === undefined) return
    for (const sent of [...this.#sent]) {
      this.#sent.delete(sent)
      sent.answered(this.#takesNothing(reason))
    }
  }

  #takesNothing(reason: string): BrokerConnectionError {
    return new BrokerConnectionError(`${this.#connection.label} takes no messages: ${reason}`)
  }

  #send(lane: Lane | undefined, message: Addressed, answered: Sent['answered']): void {
    if (lane === undefined) throw new RangeError(`no channel for exchange "${message.exchange}"`)
    const refusal = this.#tooLong(message)
    if (refusal !== undefined) {
      answered(refusal)
      return
    }
    const sent: Sent = { ...message, lane, isReturned: false, answered }
    const { exchange, routingKey, content, options } = message
    try {
      lane.channel.publish(exchange, routingKey, content, options, (error: unknown) => {
        this.#answer(sent, error)
      })
      this.#sent.add(sent)
    } catch (error) {
      answered(this.#connection.isOpen ? unsendable(error) : this.#connection.failure)
    }
  }

  /** The server would close the connection, with all that is under way. */
  #tooLong(message: Addressed): BrokerError | undefined {
    const { frameMax } = this.#connection
    if (frameMax > CLIENT_MOST) return undefined
    const bytes = headerFrameBytes(message)
    if (bytes <= frameMax) return undefined
    return new BrokerError(`its headers make ${bytes} bytes, more than frame_max of the server, ${frameMax}`)
  }

  #answer(sent: Sent, error: unknown): void {
    if (!this.#sent.delete(sent)) return
    sent.answered(this.#verdict(sent, error))
  }

  #verdict(sent: Sent, error: unknown): LovageError | undefined {
    if (sent.isReturned) return new QueueNotFoundError(sent.routingKey, `no queue for ${placeOf(sent)}`)
    if (error === null || error === undefined) return undefined
    if (!this.#connection.isOpen) return this.#connection.failure
    const isNack = error instanceof Error && error.message === 'message nacked'
    if (isNack)
      return new BrokerError(`the server refused a message for ${placeOf(sent)}; is its queue full?`)
    const { closedBy } = sent.lane
    if (isMissingExchange(closedBy)) this.onMissing(sent.exchange)
    return isInnocent(sent)
      ? this.#interrupted(closedBy)
      : toFailure(closedBy ?? error, this.#connection.label)
  }

  #interrupted(cause: unknown): Interrupted {
    const message = `${this.#connection.label}: the channel was closed because of another message`
    return new Interrupted(message, { cause })
  }

  #open(exchange: string): Promise<Lane> {
    const known = this.#lanes.get(exchange)
    if (known !== undefined) return known
    const opening = this.#openLane(exchange).catch((error: unknown) => {
      this.#lanes.delete(exchange)
      throw error
    })
    this.#lanes.set(exchange, opening)
    return opening
  }

  async #openLane(exchange: string): Promise<Lane> {
    const channel = await this.#connection.confirmChannel()
    const lane: Lane = { channel, closedBy: undefined }
    channel.on('return', (message) => this.#returned(message))
    channel.on('error', (error: unknown) => (lane.closedBy = error))
    channel.on('close', () => this.#lanes.delete(exchange))
    return lane
  }

  /** A returned message has no number of its own; it comes before its confirmation, in the order of publishing. */
  #returned({ fields, properties, content }: AmqpMessage): void {
    for (const sent of this.#sent) {
      if (sent.isReturned || sent.routingKey !== fields.routingKey || sent.exchange !== fields.exchange)
        continue
      if (sent.options.correlationId !== properties.correlationId) continue
      if (!sent.content.equals(content)) continue
      sent.isReturned = true
      return
    }
  }
}

/** Whether an exchange that a message was published to does not exist, which closed the channel. */
function isMissingExchange(error: unknown): boolean {
  return replyCode(error) === 404
}

/** Whether the server's words name another message than this one; else they mean the exchange, and all that were sent to it. */
function isInnocent({ lane: { closedBy }, content, routingKey }: Sent): boolean {
  const words = closedBy instanceof Error ? closedBy.message : ''
  const size = /message size (\d+) is larger/.exec(words)?.[1]
  if (size !== undefined) return Number(size) !== content.length
  const key = /access to topic '(.*)' in exchange/.exec(words)?.[1]
  return key !== undefined && key !== routingKey
}

function refusal(failures: ReadonlyMap<number, LovageError>, batch: readonly Addressed[]): PublishError {
  const [first] = failures.values()
  const message = `${String(failures.size)} of ${String(batch.length)} messages not published: ${first?.message ?? ''}`
  return new PublishError(message, [...failures.keys()], { cause: first })
}

function unsendable(error: unknown): LovageError {
  const message = error instanceof Error ? error.message : String(error)
  return new BrokerError(`a message cannot be written: ${message}`, { cause: error })
}

function placeOf({ exchange, routingKey }: Addressed): string {
  return exchange === '' ? `"${routingKey}"` : `exchange "${exchange}" with key "${routingKey}"`
}

/** Head and end of a frame, class, weight, size of the body, and flags. */
const FRAME_BYTES = 8 + 14
/** Delivery mode, priority, and the length of the table. */
const FIXED_BYTES = 2 + 4

/**
 * How many bytes of the connection the properties of a message take, its headers among them; they are one frame.
 *
 * @source AMQP 0-9-1, 4.2.6.1, "The Content Header".
 */
function headerFrameBytes({ options: { headers, ...properties } }: Envelope): number {
  const table: unknown = headers
  let bytes = FRAME_BYTES + FIXED_BYTES + (isRecord(table) ? tableBytes(table) : 0)
  for (const value of Object.values(properties))
    if (typeof value === 'string') bytes += 1 + Buffer.byteLength(value)
  return bytes
}

function tableBytes(table: Readonly<Record<string, unknown>>): number {
  let bytes = 0
  for (const [name, value] of Object.entries(table)) bytes += 1 + Buffer.byteLength(name) + fieldBytes(value)
  return bytes
}

/** A value with its tag. */
function fieldBytes(value: unknown): number {
  if (typeof value === 'string') return 5 + Buffer.byteLength(value)
  if (typeof value === 'boolean') return 2
  if (Buffer.isBuffer(value)) return 5 + value.byteLength
  if (Array.isArray(value)) return value.reduce<number>((bytes, one) => bytes + fieldBytes(one), 5)
  if (!isRecord(value)) return 1
  if (!('!' in value)) return 5 + tableBytes(value)
  if (value['!'] === 'object' && isRecord(value['value'])) return 5 + tableBytes(value['value'])
  return value['!'] === 'int32' ? 5 : 9
}

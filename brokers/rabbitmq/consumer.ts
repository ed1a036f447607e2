import { randomUUID } from 'node:crypto'
import type { ConsumeMessage } from 'amqplib'
import type { Consumer, ConsumeOptions, Delivery, FetchOptions, HandBack } from '../../src/broker/contract.js'
import { BrokerConnectionError } from '../../src/errors/errors.js'
import { toArrival } from './envelope.js'
import type { Arrival } from './envelope.js'
import { toFailure } from './failure.js'
import { LongClaimMonitor } from './long-claim-monitor.js'
import type { RabbitConnection } from './connection.js'
import { LongClaims } from './long-claims.js'
import type { LongClaimsParts } from './long-claims.js'
import { LostClaims } from './lost-claims.js'
import { DeliveryCounts } from './delivery-counts.js'
import type { Returner } from './returner.js'
import { Speed } from './speed.js'
import { QueueConsumers } from './queue-consumers.js'
import type { ConsumerChannel, QueueConsumer } from './queue-consumers.js'
import { StalledPrefetch } from '../../src/broker/stalled-prefetch.js'
import { systemClock } from '../../src/util/clock.js'
import { Unsettled } from './unsettled.js'
import type { UnsettledDelivery } from './unsettled.js'
import { Waiters } from './waiters.js'
import { append } from '../../src/util/long-list.js'

/** What a {@link RabbitConsumer} works with. */
export interface ConsumerParts {
  readonly connection: Pick<RabbitConnection, 'label' | 'isOpen' | 'failure'>
  readonly channel: ConsumerChannel
  readonly queues: readonly string[]
  readonly options: ConsumeOptions
  readonly returner: Returner
  /** Messages that are ready in a queue. */
  readonly depth: (queue: string) => Promise<number>
  /** Do something on a channel for declarations. */
  readonly run: LongClaimsParts['run']
  /** How long the server lets a delivery go unacknowledged; 0 when it does not mind. */
  readonly consumerTimeoutMs: number
  /** Whether a queue is deleted with its last consumer: then there always is one. */
  readonly keepsConsuming: boolean
  readonly closed: () => void
}

/** How long a fetch that may not wait waits for a message that is known to be there. */
const SOON_MS = 300
/** How long a fetch waits before it asks for more than its AMQP consumers let through. */
const STARVED_MS = 20
/** How long deliveries may wait here without a fetch, before they go back for other workers. */
const UNFETCHED_MS = 250
/** How long the message of a long task stays with a worker that does not renew it. */
const KEEP_LONG_MS = 120_000

/**
 * Claims by AMQP consumers on a channel of its own: the server pushes, a fetch takes what has come.
 *
 * The server sends as many as the fetches asked for, and ahead of them only while deliveries are settled quickly. What
 * nobody fetches goes back. A claim lasts as long as the channel.
 */
export class RabbitConsumer implements Consumer {
  readonly #parts: ConsumerParts
  readonly #consumers: QueueConsumers
  readonly #unsettled = new Unsettled()
  readonly #waiters = new Waiters()
  readonly #speed = new Speed()
  readonly #id = randomUUID().slice(0, 8)
  #arrived: UnsettledDelivery[] = []
  #credit: number
  #handedOut = 0
  /** Deliveries for each queue that the AMQP consumers were opened for. */
  #level = 0
  #lost: BrokerConnectionError | undefined
  #closing: Promise<void> | undefined
  /** What is under way with deliveries that must not be given back meanwhile. */
  readonly #leaving = new Set<Promise<void>>()
  readonly #unfetched: StalledPrefetch
  readonly #long: LongClaims
  readonly #deliveryCounts: DeliveryCounts
  readonly #longClaimMonitor: LongClaimMonitor

  constructor(parts: ConsumerParts) {
    this.#parts = parts
    this.#credit = parts.options.credit
    const { channel, queues } = parts
    this.#consumers = new QueueConsumers(channel, queues, {
      arrived: (consumer, message) => this.#arrive(consumer, message),
      ended: (queue) => this.#lose(new BrokerConnectionError(`queue "${queue}" was deleted`)),
    })
    this.#unfetched = new StalledPrefetch({
      clock: systemClock,
      afterMs: UNFETCHED_MS,
      isWaiting: () => this.#arrived.length > 0 && this.#lost === undefined && this.#waiters.count === 0,
      // Cannot reject: it catches.
      giveBack: () => void this.#leave(this.#giveBackUnfetched()),
    })
    const { consumerTimeoutMs, returner, run } = parts
    const keepMs = Math.min(KEEP_LONG_MS, consumerTimeoutMs)
    this.#long = new LongClaims({ keepMs, publisher: returner, run })
    this.#deliveryCounts = new DeliveryCounts({
      returner,
      unsettled: this.#unsettled,
      settle: (held) => this.#settle([held]),
      keep: (held) => this.#keep(held),
      flush: () => this.#flush(),
    })
    this.#longClaimMonitor = new LongClaimMonitor({
      consumerTimeoutMs,
      held: () => this.#unsettled.all,
      isOver: () => this.#closing !== undefined,
      move: (held) => this.#leave(this.#move(held)),
    })
    let reason: unknown
    channel.on('error', (error: unknown) => (reason = error))
    channel.on('close', () => {
      if (this.#closing === undefined) this.#lose(this.#reasonOf(reason))
    })
  }

  async fetch(max: number, { waitMs, signal }: FetchOptions): Promise<readonly Delivery[]> {
    const untilMs = performance.now() + waitMs
    this.#unfetched.taken += 1
    for (;;) {
      this.#assertAlive()
      const free = Math.min(max, this.#credit - this.#handedOut)
      if (free > 0) await this.#ensureConsuming(free)
      const taken = this.#take(free)
      if (taken.length > 0) return taken
      if (signal.aborted || this.#closing !== undefined) return []
      const leftMs = untilMs - performance.now()
      if (leftMs <= 0) return waitMs > 0 || free <= 0 ? [] : this.#takeSoon(free)
      await this.#waitForMore(free, leftMs, signal)
    }
  }

  async ack(deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    this.#assertAlive()
    const lost: Delivery[] = []
    const held: UnsettledDelivery[] = []
    const long: Delivery[] = []
    for (const delivery of deliveries) {
      const found = this.#unsettled.find(delivery.tag)
      if (found !== undefined) held.push(found)
      else if (this.#long.has(delivery.tag)) long.push(delivery)
      else lost.push(delivery)
    }
    this.#settle(held)
    return long.length === 0 ? lost : [...lost, ...(await this.#release(long))]
  }

  async handBack(items: readonly HandBack[]): Promise<readonly Delivery[]> {
    this.#assertAlive()
    const isHere = ({ delivery: { tag } }: HandBack): boolean =>
      this.#unsettled.find(tag) !== undefined || this.#long.has(tag)
    const lost = items.filter((item) => !isHere(item)).map((item) => item.delivery)
    await this.#giveBack(items.filter(isHere))
    return lost
  }

  /** Publish again what is given back, then end the claims of what was. */
  #giveBack(items: readonly HandBack[]): Promise<void> {
    return this.#leave(this.#publishAndRelease(items))
  }

  async #publishAndRelease(items: readonly HandBack[]): Promise<void> {
    const long: Delivery[] = []
    try {
      await this.#parts.returner.giveBack(items, (done) => {
        const deliveries = done.map((index) => items[index]?.delivery).filter(isThere)
        this.#settle(deliveries.map(({ tag }) => this.#unsettled.find(tag)).filter(isThere))
        append(
          long,
          deliveries.filter(({ tag }) => this.#long.has(tag)),
        )
      })
    } finally {
      if (long.length > 0) await this.#release(long)
    }
  }

  /** What closing waits for. */
  async #leave(leaving: Promise<void>): Promise<void> {
    this.#leaving.add(leaving)
    try {
      await leaving
    } finally {
      this.#leaving.delete(leaving)
    }
  }

  async #release(long: readonly Delivery[]): Promise<readonly Delivery[]> {
    this.#handedOut -= long.length
    this.#waiters.wake()
    try {
      return await this.#long.release(long)
    } catch (error) {
      throw toFailure(error, this.#parts.connection.label)
    }
  }

  async #move(held: UnsettledDelivery): Promise<void> {
    await this.#long.take(held.delivery)
    if (this.#unsettled.find(held.delivery.tag) === undefined) await this.#long.release([held.delivery])
    else this.#settle([held], true)
  }

  async setCredit(credit: number): Promise<void> {
    this.#assertAlive()
    this.#credit = credit
    const isUsedUp = credit <= this.#handedOut
    // A new AMQP consumer lets one message through at least: where no credit is left, none is opened.
    if (this.#level > credit) await this.#turn(isUsedUp && !this.#parts.keepsConsuming ? 0 : credit)
    while (isUsedUp && this.#leaving.size > 0) await Promise.allSettled(this.#leaving)
    const beyond = this.#arrived.splice(Math.max(0, credit - this.#handedOut))
    await this.#giveBack(beyond.map(({ delivery }) => unspent(delivery)))
    // Were this process to die now, what is not acknowledged there would count as lost with it.
    if (isUsedUp) await this.#flush()
    this.#waiters.wake()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#stopWatching()
    this.#waiters.wake()
    try {
      if (this.#lost === undefined && this.#parts.connection.isOpen) await this.#giveAllBack()
    } finally {
      this.#unsettled.clear()
      this.#long.stop()
      this.#arrived = []
      this.#parts.closed()
    }
  }

  get #claimed(): readonly Delivery[] {
    return [...this.#unsettled.all.map(({ delivery }) => delivery), ...this.#long.all]
  }

  /** What cannot be given back in good order comes back by itself, counted as a delivery. */
  async #giveAllBack(): Promise<void> {
    const { channel } = this.#parts
    try {
      await this.#consumers.turn(0, () => 0)
      await Promise.allSettled(this.#leaving)
      await this.#giveBack(this.#claimed.map(unspent))
      await channel.close()
    } catch {
      void closeQuietly(channel)
    }
  }

  /** Whether everything that the AMQP consumers let through is here and not settled. */
  #isStarved(): boolean {
    return this.#consumers.free === 0 && this.#arrived.length === 0 && this.#level < this.#credit
  }

  async #ensureConsuming(free: number): Promise<void> {
    const wanted = Math.min(this.#credit, this.#handedOut + free)
    if (!this.#consumers.isOpen) await this.#turn(wanted)
    else if (this.#speed.isFast && this.#level < Math.min(this.#credit, wanted))
      await this.#turn(Math.min(this.#credit, 2 * wanted))
  }

  async #waitForMore(free: number, leftMs: number, signal: AbortSignal): Promise<void> {
    const isStarved = free > 0 && this.#isStarved()
    await this.#waiters.wait(isStarved ? Math.min(STARVED_MS, leftMs) : leftMs, signal)
    if (isStarved && this.#isStarved()) await this.#widen(this.#handedOut + free)
  }

  async #widen(wanted: number): Promise<void> {
    this.#assertAlive()
    await this.#turn(Math.min(this.#credit, wanted))
  }

  /** Nothing is here and the fetch may not wait: is nothing there either? */
  async #takeSoon(free: number): Promise<readonly Delivery[]> {
    const { queues, depth, channel } = this.#parts
    const untilMs = performance.now() + SOON_MS
    try {
      for (;;) {
        const depths = await Promise.all(queues.map((queue) => depth(queue)))
        // Whatever its queue had sent by then is here after one more answer on this channel.
        await channel.prefetch(this.#level, false)
        const taken = this.#take(free)
        if (taken.length > 0 || performance.now() > untilMs || depths.every((count) => count === 0))
          return taken
        if (this.#isStarved()) await this.#widen(this.#handedOut + free)
        await this.#waiters.wait(STARVED_MS, AbortSignal.timeout(SOON_MS))
      }
    } catch (error) {
      throw this.#lost ?? toFailure(error, this.#parts.connection.label)
    }
  }

  #take(free: number): readonly Delivery[] {
    if (free <= 0 || this.#arrived.length === 0) return []
    const taken = this.#arrived.splice(0, free)
    const nowMs = performance.now()
    for (const held of taken) held.handedOutMs = nowMs
    this.#handedOut += taken.length
    return taken.map((held) => held.delivery)
  }

  #arrive(consumer: QueueConsumer, message: ConsumeMessage): void {
    const arrival = toArrival(message, consumer.queue)
    const delivery = this.#toDelivery(arrival, consumer.queue, message.fields.deliveryTag)
    const held: UnsettledDelivery = { message, consumer, delivery, handedOutMs: 0 }
    consumer.open += 1
    this.#unsettled.add(held)
    const isNews = arrival.isUncounted && delivery.replaces === undefined
    // Its settling ends it; what fails hands it out as it is.
    if (isNews || arrival.notBeforeMs !== undefined)
      void this.#leave(this.#deliveryCounts.publish(held, arrival))
    else if (!this.#deliveryCounts.hold(held)) this.#keep(held)
  }

  #toDelivery(arrival: Arrival, queue: string, number: number): Delivery {
    const { message, redelivered } = arrival
    const lost = redelivered ? LostClaims.ofProcess.take({ message, queue }) : undefined
    return {
      message,
      queue,
      route: arrival.route,
      deliveryCount: lost?.deliveryCount ?? arrival.deliveries + 1 + (arrival.isUncounted ? 1 : 0),
      redelivered,
      due: arrival.due,
      tag: `${this.#id}.${String(number)}`,
      ...(lost && { replaces: lost.tag }),
    }
  }

  #keep(held: UnsettledDelivery): void {
    this.#arrived.push(held)
    this.#waiters.wakeSoon()
    if (!this.#parts.keepsConsuming && this.#closing === undefined) this.#unfetched.watch()
  }

  #settle(settled: readonly UnsettledDelivery[], isMoved = false): void {
    if (settled.length === 0) return
    const nowMs = performance.now()
    let heldMs = 0
    for (const held of settled) {
      held.consumer.open -= 1
      if (held.handedOutMs === 0) {
        const at = this.#arrived.indexOf(held)
        if (at >= 0) this.#arrived.splice(at, 1)
        continue
      }
      heldMs += nowMs - held.handedOutMs
      if (!isMoved) this.#handedOut -= 1
    }
    this.#speed.observe(heldMs / settled.length, settled.length)
    const { upTo, single } = this.#unsettled.settle(settled)
    if (upTo !== undefined) this.#acknowledge(upTo, true)
    for (const held of single) this.#acknowledge(held, false)
    this.#waiters.wake()
  }

  #acknowledge({ message }: UnsettledDelivery, isUpTo: boolean): void {
    try {
      this.#parts.channel.ack(message, isUpTo)
    } catch {
      // The channel is closed; whoever asks next hears why.
    }
  }

  async #giveBackUnfetched(): Promise<void> {
    const unfetched = this.#arrived
    this.#arrived = []
    this.#speed.reset()
    try {
      this.#level = 0
      await this.#consumers.turn(0, () => 0)
      append(unfetched, this.#arrived.splice(0))
      await this.#giveBack(unfetched.map(({ delivery }) => unspent(delivery)))
    } catch {
      append(
        this.#arrived,
        unfetched.filter(({ delivery }) => this.#unsettled.find(delivery.tag) !== undefined),
      )
    }
    this.#waiters.wake()
  }

  /** Resolves when the server has read what was sent on the channel so far. */
  async #flush(): Promise<void> {
    try {
      await this.#parts.channel.prefetch(this.#level, false)
    } catch (error) {
      throw this.#lost ?? toFailure(error, this.#parts.connection.label)
    }
  }

  async #turn(level: number): Promise<void> {
    this.#level = level
    try {
      await this.#consumers.turn(level, (queue) => this.#unsettled.countOf(queue))
    } catch (error) {
      throw this.#lost ?? toFailure(error, this.#parts.connection.label)
    }
  }

  #lose(error: BrokerConnectionError): void {
    if (this.#lost !== undefined) return
    this.#lost = error
    this.#stopWatching()
    this.#long.stop()
    for (const delivery of this.#claimed) LostClaims.ofProcess.add(delivery)
    this.#unsettled.clear()
    this.#arrived = []
    this.#waiters.wake()
    // Its other queues may still have consumers on it.
    void closeQuietly(this.#parts.channel)
  }

  #stopWatching(): void {
    this.#unfetched.stop()
    this.#longClaimMonitor.stop()
  }

  #reasonOf(reason: unknown): BrokerConnectionError {
    const { connection } = this.#parts
    if (!connection.isOpen) return connection.failure
    const message = reason instanceof Error ? reason.message : 'the channel was closed'
    return new BrokerConnectionError(`${connection.label}: ${message}`, { cause: reason })
  }

  #assertAlive(): void {
    if (this.#lost !== undefined) throw this.#lost
    if (!this.#parts.connection.isOpen) throw this.#parts.connection.failure
  }
}

/** Close a channel, which may be closed. */
async function closeQuietly(channel: ConsumerChannel): Promise<void> {
  try {
    await channel.close()
  } catch {
    // It was.
  }
}

function unspent(delivery: Delivery): HandBack {
  return { delivery, delayMs: 0, unspent: true }
}

function isThere<Value>(value: Value | undefined): value is Value {
  return value !== undefined
}

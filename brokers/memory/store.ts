import type { Binding, HandBack, Outgoing, QueueSpec } from '../../src/broker/contract.js'
import { ChangeSignal } from '../../src/broker/leased-consumer.js'
import { matchBindings } from '../../src/broker/routing.js'
import type { BoundQueue } from '../../src/broker/routing.js'
import type { Clock } from '../../src/util/clock.js'
import { RecordStore } from '../../backends/memory/records.js'
import type { Holder } from './holder.js'
import { MemoryFanout } from './fanout.js'
import { MemoryQueue } from './queue.js'
import type { Entry } from './queue.js'
import { MemorySchedules } from './schedules.js'

/**
 * One message store of this process: queues, bindings, claims and results, shared by every broker and backend that
 * names it. All of it happens between two turns of the event loop, so each method is one atomic step.
 */
export class MemoryStore {
  readonly clock: Clock
  /** Wakes consumers, in the order in which they began to wait. */
  readonly changes: ChangeSignal = new ChangeSignal()
  /** Results, for the backend of the same name. */
  readonly results: RecordStore
  readonly fanout: MemoryFanout = new MemoryFanout()
  readonly schedules: MemorySchedules
  readonly #queues = new Map<string, MemoryQueue>()
  readonly #bindings = new Map<string, BoundQueue[]>()
  readonly #leasing = new Set<Holder>()
  #lastSequence = 0

  constructor(clock: Clock) {
    this.clock = clock
    this.results = new RecordStore(clock)
    this.schedules = new MemorySchedules(clock)
  }

  /** Names of the queues, oldest first. */
  queueNames(): readonly string[] {
    this.#dropUnused()
    return [...this.#queues.keys()]
  }

  /** A queue by name; `undefined` when it was never declared, or is deleted by now. */
  queue(name: string): MemoryQueue | undefined {
    const queue = this.#queues.get(name)
    if (queue !== undefined && queue.expiresMs !== Number.POSITIVE_INFINITY) this.#dropUnused()
    return this.#queues.get(name)
  }

  /** Create what is missing of a queue and its bindings. */
  declare(spec: QueueSpec): void {
    this.#dropUnused()
    if (!this.#queues.has(spec.name)) this.#queues.set(spec.name, new MemoryQueue(spec, this.clock.now()))
    for (const binding of spec.bindings) this.#bind(spec.name, binding)
  }

  /** Remove a queue with what waits in it, and its bindings. */
  delete(name: string): void {
    this.#queues.delete(name)
    for (const [exchange, bound] of this.#bindings) {
      const left = bound.filter((one) => one.queue !== name)
      if (left.length === 0) this.#bindings.delete(exchange)
      else this.#bindings.set(exchange, left)
    }
  }

  /** The queues that a message reaches; none when it cannot be routed. */
  routesOf(outgoing: Outgoing): readonly string[] {
    const { exchange, routingKey } = outgoing.route
    if (exchange === '') return this.queue(routingKey) === undefined ? [] : [routingKey]
    const bound = this.#bindings.get(exchange)
    if (bound === undefined) return []
    const names = matchBindings(bound, outgoing.route, outgoing.message.headers)
    return names.filter((name) => this.queue(name) !== undefined)
  }

  /** Put a message into its queues. The caller signals `changes` afterwards. */
  accept(outgoing: Outgoing, queues: readonly string[], nowMs: number): void {
    for (const name of queues) {
      this.#queues.get(name)?.add(this.#newEntry(outgoing, name, nowMs), nowMs)
    }
  }

  /** Put a claimed message back; it is dropped when its queue is gone. */
  giveBack(entry: Entry, how: Omit<HandBack, 'delivery'>, nowMs: number): void {
    if (!how.unspent) entry.spent += 1
    if (how.headers !== undefined) {
      entry.message = { ...entry.message, headers: { ...entry.message.headers, ...how.headers } }
    }
    if (how.notBeforeMs !== undefined) entry.due = true
    entry.readyAtMs = how.notBeforeMs ?? nowMs + how.delayMs
    this.queue(entry.queue)?.add(entry, nowMs)
  }

  /** The next message of a queue, for a claim. */
  take(queue: string, nowMs: number): Entry | undefined {
    return this.#queues.get(queue)?.take(nowMs, this.#nextSequence)
  }

  /** Messages of a queue that are ready. */
  depth(queue: string): number {
    this.expireLeases()
    return this.queue(queue)?.depth(this.clock.now(), this.#nextSequence) ?? 0
  }

  /** How long until a message of these queues is due or a lease ends, in milliseconds. */
  nextChangeMs(queues: readonly string[]): number {
    let nextMs = Number.POSITIVE_INFINITY
    for (const name of queues) nextMs = Math.min(nextMs, this.#queues.get(name)?.nextDueMs ?? nextMs)
    for (const { claims, leaseUntilMs } of this.#leasing) {
      if (claims.size > 0) nextMs = Math.min(nextMs, leaseUntilMs)
    }
    return nextMs - this.clock.now()
  }

  /** Begin to watch over a holder's lease. */
  addLease(holder: Holder): void {
    this.#leasing.add(holder)
  }

  /** A holder with a lease, by its id. */
  leaseOf(id: string): Holder | undefined {
    return [...this.#leasing].find((holder) => holder.id === id)
  }

  /** Stop watching over a holder's lease. */
  removeLease(holder: Holder): void {
    this.#leasing.delete(holder)
  }

  /** A lease was prolonged or a first claim was made under it. */
  setLease(holder: Holder, untilMs: number): void {
    const isEarlier = untilMs < holder.leaseUntilMs
    holder.leaseUntilMs = untilMs
    // Those who wait know only of the later end.
    if (isEarlier) this.changes.signal()
  }

  /** Give back, as spent, what is claimed under leases that ran out. */
  expireLeases(): void {
    if (this.#leasing.size === 0) return
    const nowMs = this.clock.now()
    let isGivenBack = false
    for (const holder of this.#leasing) {
      if (holder.leaseUntilMs > nowMs || holder.claims.size === 0) continue
      const entries = [...holder.claims.values()]
      holder.claims.clear()
      holder.lost = true
      for (const entry of entries) {
        this.giveBack(entry, { delayMs: 0, unspent: false }, nowMs)
      }
      isGivenBack = true
    }
    if (isGivenBack) this.changes.signal()
  }

  // A function of its own, so that a queue can be handed it without a closure for each call.
  readonly #nextSequence = (): number => {
    this.#lastSequence += 1
    return this.#lastSequence
  }

  #newEntry(outgoing: Outgoing, queue: string, nowMs: number): Entry {
    const { message, route, notBeforeMs, delayMs } = outgoing
    const { priority } = message.properties
    return {
      message,
      route,
      queue,
      priority: priority ?? 0,
      sequence: this.#nextSequence(),
      spent: 0,
      handedOut: false,
      due: notBeforeMs !== undefined || delayMs !== undefined,
      readyAtMs: notBeforeMs ?? nowMs + (delayMs ?? 0),
    }
  }

  #bind(queue: string, binding: Binding): void {
    const bound = this.#bindings.get(binding.exchange) ?? []
    if (!bound.some((one) => one.queue === queue && isSameBinding(one.binding, binding))) {
      bound.push({ queue, binding })
    }
    this.#bindings.set(binding.exchange, bound)
  }

  #dropUnused(): void {
    for (const queue of this.#queues.values()) {
      if (queue.consumers === 0 && this.clock.now() - queue.idleSinceMs >= queue.expiresMs)
        this.delete(queue.name)
    }
  }
}

function isSameBinding(one: Binding, other: Binding): boolean {
  return (
    one.type === other.type &&
    one.routingKey === other.routingKey &&
    JSON.stringify(one.arguments ?? {}) === JSON.stringify(other.arguments ?? {})
  )
}

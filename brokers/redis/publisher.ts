import type { Outgoing } from '../../src/broker/contract.js'
import { unroutable } from '../../src/broker/routing.js'
import { PublishError } from '../../src/errors/errors.js'
import type { FanoutNaming } from './channels.js'
import type { Keys } from './keys.js'
import type { Argument, RedisConnection } from './connection.js'
import { PUBLISH } from './lua/publish.js'
import { publishOperation, tellOperation } from './operations.js'
import type { Operation } from './operations.js'
import { listOf, pairs, textOf } from './reply.js'
import { toScript } from './script.js'
import type { Topology } from './topology.js'

/** Who waits for delayed messages: the store whoever is there, Celery's way, or what the sign of life says. */
export type DelayChoice = 'auto' | 'store' | 'eta'

/** What a publisher works with. */
export interface PublisherParts {
  readonly connection: RedisConnection
  readonly keys: Keys
  readonly topology: Topology
  readonly delay: DelayChoice
  readonly fanout: FanoutNaming
}

/** Runs operations in one step; resolves with the positions of those whose queue is not declared. */
export type RunOperations = (operations: readonly Argument[]) => Promise<readonly number[]>

/** How long a sign of life that was seen is believed, in milliseconds; the key itself lives for 60 s. */
const BELIEVED_MS = 10_000
const publishScript = toScript(PUBLISH)

/** Turns messages into operations on lists, and runs them. */
export class Publisher {
  readonly #parts: PublisherParts
  #aliveUntilMs = 0
  #hasWarned = false

  constructor(parts: PublisherParts) {
    this.#parts = parts
  }

  /** Publish a batch in one step. @throws `PublishError` that names messages whose route reaches no queue. */
  async publish(batch: readonly Outgoing[]): Promise<void> {
    const first = await this.#publish(batch)
    const unrouted = first.refused.flatMap((index) => batch[index] ?? [])
    const isDeclared = unrouted.length > 0 && (await this.declareAgain(unrouted))
    const still = isDeclared ? await this.#publish(unrouted) : undefined
    const toFirst = (index: number): number => first.refused[index] ?? 0
    const refused = still === undefined ? first.refused : still.refused.map(toFirst)
    const failed = new Map(first.failed)
    for (const [index, message] of still?.failed ?? []) failed.set(toFirst(index), message)
    if (refused.length + failed.size > 0) throw unconfirmed(batch, { refused, failed })
  }

  /**
   * Publish all of a batch or nothing of it.
   *
   * @param run - Runs the operations in one step, and returns the positions of those whose queue is not declared.
   * @throws `PublishError` that names messages whose route reaches no queue.
   */
  async publishAll(batch: readonly Outgoing[], run: RunOperations): Promise<void> {
    let refused = await this.#publishAll(batch, run)
    if (refused.length > 0 && (await this.declareAgain(batch))) refused = await this.#publishAll(batch, run)
    if (refused.length > 0) throw unroutable(batch, refused)
  }

  /** Declare anew what was declared here for these messages. @returns Whether there was any of it. */
  declareAgain(batch: readonly Outgoing[]): Promise<boolean> {
    return this.#parts.topology.declareAgain(batch.map(({ route }) => route))
  }

  async #publishAll(batch: readonly Outgoing[], run: RunOperations): Promise<readonly number[]> {
    const all = await this.operations(batch)
    const lost = all.flatMap((own, position) => (own.length === 0 ? [position] : []))
    if (lost.length > 0) return lost
    const refused = await run(all.flat(2))
    this.#parts.connection.listening.changedHere()
    const positions = all.flatMap((own, position) => own.map(() => position))
    return [...new Set(refused.flatMap((index) => positions[index] ?? []))]
  }

  async #publish(batch: readonly Outgoing[]): Promise<Unconfirmed> {
    const { connection, keys } = this.#parts
    const operations: Operation[] = []
    const positions: number[] = []
    const refused = new Set<number>()
    const failed = new Map<number, string>()
    for (const [position, own] of (await this.operations(batch)).entries()) {
      if (own.length === 0) refused.add(position)
      for (const operation of own) {
        const problem = connection.tooLong(operation)
        if (problem === undefined) {
          operations.push(operation)
          positions.push(position)
        } else {
          failed.set(position, problem)
        }
      }
    }
    if (operations.length > 0) {
      const [args, counts] = joined(operations)
      const reply = await connection.runAtOnce(
        publishScript,
        [keys.queues, keys.due],
        [keys.delayedPrefix, ...args],
      )
      connection.listening.changedHere()
      const at = (index: unknown): readonly number[] =>
        positions.slice(counts[Number(index)], counts[Number(index) + 1])
      const [unknown, problems] = listOf(reply).map(listOf)
      for (const index of unknown ?? []) for (const position of at(index)) refused.add(position)
      for (const [index, problem] of pairs(problems ?? []))
        for (const position of at(index)) failed.set(position, textOf(problem))
    }
    return { refused: [...refused].sort((one, other) => one - other), failed }
  }

  /** What has to be done for each message; nothing for one whose exchange routes it nowhere. */
  async operations(batch: readonly Outgoing[]): Promise<readonly (readonly Operation[])[]> {
    const sent = batch.some(isHeld) && !(await this.#isHeldByStore()) ? batch.map(withoutHold) : batch
    const { keys, topology, fanout } = this.#parts
    const all: (readonly Operation[])[] = []
    for (const outgoing of sent) {
      const { route } = outgoing
      if (route.exchange === '') {
        all.push([publishOperation(keys, outgoing, route.routingKey, false)])
        continue
      }
      const found = await topology.reached(route)
      const isLost = found.queues.length === 0 && (await topology.declareAgain([route]))
      const { queues, isFanout } = isLost ? await topology.reached(route) : found
      const own = queues.map((queue) => publishOperation(keys, outgoing, queue, true))
      all.push(isFanout ? [...own, tellOperation(fanout, outgoing)] : own)
    }
    return all
  }

  /** Whether a worker is there that promotes what the store holds. */
  async #isHeldByStore(): Promise<boolean> {
    const { connection, keys, delay } = this.#parts
    if (delay !== 'auto') return delay === 'store'
    if (performance.now() < this.#aliveUntilMs) return true
    if (Number(await connection.call('EXISTS', keys.alive)) === 1) {
      this.#aliveUntilMs = performance.now() + BELIEVED_MS
      return true
    }
    this.#warn()
    return false
  }

  #warn(): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    process.emitWarning(
      `no Lovage worker has given a sign of life on ${this.#parts.connection.target.label} for 60 s: ` +
        'delayed tasks are sent with their eta at once, and the worker that takes one holds it',
      { type: 'LovageWarning', code: 'LOVAGE_DELAY_BY_ETA' },
    )
  }
}

/** Messages of a batch that the server did not take, by their positions. */
interface Unconfirmed {
  /** They reach no queue; in order. */
  readonly refused: readonly number[]
  /** The server refused them for what they name, and why. */
  readonly failed: ReadonlyMap<number, string>
}

function unconfirmed(batch: readonly Outgoing[], { refused, failed }: Unconfirmed): PublishError {
  const [message] = failed.values()
  if (message === undefined) return unroutable(batch, refused)
  const indexes = [...new Set([...refused, ...failed.keys()])].sort((one, other) => one - other)
  return new PublishError(message, indexes)
}

function isHeld({ notBeforeMs, delayMs }: Outgoing): boolean {
  return notBeforeMs !== undefined || (delayMs !== undefined && delayMs > 0)
}

function withoutHold({ route, message }: Outgoing): Outgoing {
  return { route, message }
}

/** Operations as arguments, pushes onto one list after one another as one; and where each begins among the given. */
function joined(operations: readonly Operation[]): readonly [Argument[], number[]] {
  const args: Argument[] = []
  const starts: number[] = []
  let countAt = -1
  let last: Operation | undefined
  for (const [index, operation] of operations.entries()) {
    const isMore =
      operation[0] === 'L' && last?.[0] === 'L' && last[1] === operation[1] && last[2] === operation[2]
    if (isMore) {
      args.push(operation[4] ?? '')
      args[countAt] = Number(args[countAt]) + 1
      continue
    }
    starts.push(index)
    countAt = args.length + 3
    for (const argument of operation) args.push(argument)
    last = operation
  }
  return [args, starts]
}

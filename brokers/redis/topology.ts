import type { Binding, QueueSpec, Route } from '../../src/broker/contract.js'
import { matchesTopic, topicPattern } from '../../src/broker/routing.js'
import type { Keys } from './keys.js'
import type { RedisConnection } from './connection.js'
import { numberOf, textsOf } from './reply.js'
import { PURGE } from './lua/queue.js'
import { toScript } from './script.js'
import { append } from '../../src/util/long-list.js'

const SEPARATOR = '\u0006\u0016'
/** After the exchange, among the bindings of a queue. */
const FANOUT = '\u0000fanout'
const HOUR_MS = 3_600_000
const purgeScript = toScript(PURGE)

/** Where a route leads. */
export interface Reached {
  readonly queues: readonly string[]
  /** The exchange is a fanout: who listens on its channel hears the message too. */
  readonly isFanout: boolean
}

/** Queues and bindings, in kombu's sets and in Lovage's list of declared queues. */
export class Topology {
  readonly #connection: RedisConnection
  readonly #keys: Keys
  /** What this program declared. */
  readonly #declared = new Map<string, QueueSpec>()

  constructor(connection: RedisConnection, keys: Keys) {
    this.#connection = connection
    this.#keys = keys
  }

  /**
   * Declare a queue and its bindings.
   *
   * A binding of a queue that stays is entered as permanent, and one of a queue that expires with a deadline: Celery 5.7
   * deletes others. One of a fanout exchange stands apart from Celery's: those belong to queues that hear a channel and whose
   * lists no one reads.
   *
   * @source kombu 5.7, `kombu/transport/redis.py`, `Channel._queue_bind`.
   */
  async declare(queue: QueueSpec): Promise<void> {
    const { expiresMs } = queue
    const calls: Promise<unknown>[] = [this.#connection.call('SADD', this.#keys.queues, queue.name)]
    for (const binding of queue.bindings) append(calls, this.#bind(queue.name, binding, expiresMs))
    await Promise.all(calls)
    this.#declared.set(queue.name, queue)
  }

  /**
   * Declare anew what this program declared for these routes: the server may have lost it, or another program swept it.
   *
   * @returns Whether there was any of it.
   */
  async declareAgain(routes: readonly Route[]): Promise<boolean> {
    const exchanges = new Set(routes.map(({ exchange }) => exchange))
    const names = new Set(routes.filter(({ exchange }) => exchange === '').map((route) => route.routingKey))
    const meant = [...this.#declared.values()].filter(
      ({ name, bindings }) => names.has(name) || bindings.some(({ exchange }) => exchanges.has(exchange)),
    )
    await Promise.all(meant.map((queue) => this.declare(queue)))
    return meant.length > 0
  }

  /** The queues that a route reaches; for exchange `''` the one it names, declared or not. */
  async reached(route: Route): Promise<Reached> {
    if (route.exchange === '') return { queues: [route.routingKey], isFanout: false }
    const [bound, members] = await Promise.all([
      this.#connection.call('SMEMBERS', this.#keys.fanoutQueues(route.exchange)).then(textsOf),
      this.#connection.call('SMEMBERS', this.#keys.binding(route.exchange)).then(textsOf),
    ])
    if (bound.length > 0) return { queues: bound, isFanout: true }
    const queues = new Set<string>()
    for (const member of members) {
      const [key = '', pattern = '', queue = ''] = member.split(SEPARATOR)
      const isReached = pattern === '' ? key === route.routingKey : matchesTopic(key, route.routingKey)
      if (isReached) queues.add(queue)
    }
    return { queues: [...queues], isFanout: false }
  }

  /** The fanout exchanges that a queue is bound to. */
  async fanoutsOf(queue: string): Promise<readonly string[]> {
    const bindings = textsOf(await this.#connection.call('SMEMBERS', this.#keys.bindingsOf(queue)))
    return bindings.filter((text) => text.endsWith(FANOUT)).map((text) => text.slice(0, -FANOUT.length))
  }

  async names(): Promise<readonly string[]> {
    return textsOf(await this.#connection.call('SMEMBERS', this.#keys.queues))
  }

  async depth(queue: string): Promise<number> {
    const lengths = await Promise.all(
      this.#keys.lists(queue).map((list) => this.#connection.call('LLEN', list)),
    )
    return lengths.reduce<number>((sum, length) => sum + Number(length), 0)
  }

  async purge(queue: string): Promise<number> {
    const keys = [this.#keys.delayed(queue), this.#keys.due, ...this.#keys.lists(queue)]
    return numberOf(await this.#connection.run(purgeScript, keys, [queue]))
  }

  async delete(queue: string): Promise<void> {
    this.#declared.delete(queue)
    const own = this.#keys.bindingsOf(queue)
    const bindings = textsOf(await this.#connection.call('SMEMBERS', own))
    const calls: Promise<unknown>[] = [this.#connection.call('SREM', this.#keys.queues, queue)]
    for (const text of bindings) {
      const end = text.indexOf('\u0000')
      const exchange = text.slice(0, end)
      const member = text.slice(end + 1)
      calls.push(this.#connection.call('SREM', this.#keys.fanoutQueues(exchange), queue))
      calls.push(this.#connection.call('SREM', this.#keys.binding(exchange), member))
      calls.push(this.#connection.call('SREM', this.#keys.permanentBinding(exchange), member))
    }
    calls.push(this.#connection.call('DEL', own), this.purge(queue))
    await Promise.all(calls)
  }

  #bind(queue: string, binding: Binding, expiresMs: number | undefined): Promise<unknown>[] {
    const { exchange, routingKey, type } = binding
    if (type === 'fanout') {
      return [
        this.#connection.call('SADD', this.#keys.fanoutQueues(exchange), queue),
        this.#connection.call('SADD', this.#keys.bindingsOf(queue), exchange + FANOUT),
      ]
    }
    const pattern = type === 'topic' ? topicPattern(routingKey) : ''
    const member = [routingKey, pattern, queue].join(SEPARATOR)
    const calls = [
      this.#connection.call('SADD', this.#keys.binding(exchange), member),
      this.#connection.call('SADD', this.#keys.bindingsOf(queue), `${exchange}\u0000${member}`),
    ]
    if (expiresMs === undefined) {
      calls.push(this.#connection.call('SADD', this.#keys.permanentBinding(exchange), member))
    } else {
      const deadline = Date.now() + Math.max(2 * expiresMs, HOUR_MS)
      calls.push(this.#connection.call('ZADD', this.#keys.deadlines, 'GT', deadline, exchange))
    }
    return calls
  }
}

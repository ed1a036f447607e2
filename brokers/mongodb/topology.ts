import type { Collection } from 'mongodb'
import type { Binding, ExchangeType, Outgoing, QueueSpec } from '../../src/broker/contract.js'
import { matchBindings, topicPattern } from '../../src/broker/routing.js'
import type { BoundQueue } from '../../src/broker/routing.js'
import { isRecord } from '../../src/util/record.js'
import type { MessageDocument, QueueDocument, RoutingDocument } from './documents.js'
import { delayedName } from './names.js'

/** How long the list of queues is believed, in milliseconds. */
const FRESH_MS = 1_000
const TYPES: readonly ExchangeType[] = ['direct', 'topic', 'fanout', 'headers']

/** Collections that queues and their messages are in. */
export interface TopologyCollections {
  readonly messages: Collection<MessageDocument>
  readonly routing: Collection<RoutingDocument>
  readonly queues: Collection<QueueDocument>
}

/** Queues and bindings: kombu's routing table, and a list of declared queues. */
export class Topology {
  readonly #collections: TopologyCollections
  #known = new Set<string>()
  #knownAtMs = Number.NEGATIVE_INFINITY

  constructor(collections: TopologyCollections) {
    this.#collections = collections
  }

  /** Enter a queue and its bindings. */
  async declare({ name, bindings, arguments: own = {} }: QueueSpec): Promise<void> {
    const { queues, routing } = this.#collections
    await queues.updateOne({ _id: name }, { $set: { options: { arguments: own } } }, { upsert: true })
    for (const binding of bindings) {
      const { kombu, lovage } = toRouting(name, binding)
      await routing.updateOne(
        lovage === undefined ? { ...kombu, lovage: { $exists: false } } : { ...kombu, lovage },
        { $set: lovage === undefined ? kombu : { ...kombu, lovage } },
        { upsert: true },
      )
    }
    this.#known.add(name)
  }

  /** The queues that each message reaches; none for one that is lost. */
  async routed(batch: readonly Outgoing[]): Promise<readonly (readonly string[])[]> {
    const exchanges = new Map<string, readonly BoundQueue[]>()
    const routed: (readonly string[])[] = []
    for (const { route, message } of batch) {
      if (route.exchange === '') {
        routed.push((await this.#has(route.routingKey)) ? [route.routingKey] : [])
        continue
      }
      const bound = exchanges.get(route.exchange) ?? (await this.bindings(route.exchange))
      exchanges.set(route.exchange, bound)
      routed.push(matchBindings(bound, route, message.headers))
    }
    return routed
  }

  /** What is bound to an exchange, by Lovage or by Celery. */
  async bindings(exchange: string): Promise<readonly BoundQueue[]> {
    const rows = await this.#collections.routing.find({ exchange }).toArray()
    return rows.flatMap((row) => toBound(row) ?? [])
  }

  /** Names of all queues. */
  async names(): Promise<readonly string[]> {
    await this.#refresh()
    return [...this.#known].sort()
  }

  /** Remove a queue, its bindings and what waits in it. */
  async delete(name: string): Promise<void> {
    const { messages, routing, queues } = this.#collections
    await routing.deleteMany({ queue: name })
    await queues.deleteOne({ _id: name })
    this.#known.delete(name)
    await messages.deleteMany({ queue: { $in: [name, delayedName(name)] } })
  }

  async #has(queue: string): Promise<boolean> {
    const isFresh = performance.now() - this.#knownAtMs < FRESH_MS
    if (!isFresh || !this.#known.has(queue)) await this.#refresh()
    return this.#known.has(queue)
  }

  async #refresh(): Promise<void> {
    const { routing, queues } = this.#collections
    const askedAtMs = performance.now()
    const [declared, bound] = await Promise.all([
      queues.find({}, { projection: { _id: 1 } }).toArray(),
      routing.distinct('queue'),
    ])
    this.#known = new Set([...declared.map(({ _id }) => _id), ...bound])
    this.#knownAtMs = askedAtMs
  }
}

function toRouting(
  queue: string,
  { exchange, type, routingKey, arguments: own = {} }: Binding,
): {
  readonly kombu: Omit<RoutingDocument, 'lovage'>
  readonly lovage: RoutingDocument['lovage']
} {
  const pattern = type === 'topic' ? topicPattern(routingKey) : null
  // Kombu's own two kinds are recognized by the pattern.
  const isKombus = type === 'direct' || type === 'topic'
  return {
    kombu: { exchange, queue, routing_key: routingKey, pattern },
    lovage: isKombus ? undefined : { type, arguments: JSON.stringify(own) },
  }
}

/** `undefined` for a row that says no route: it must not keep the messages of its exchange from the others. */
function toBound({ exchange, queue, routing_key, pattern, lovage }: RoutingDocument): BoundQueue | undefined {
  if (![queue, routing_key].every(isText)) return undefined
  const kombus = pattern === null ? 'direct' : 'topic'
  const type = TYPES.find((known) => known === lovage?.type) ?? kombus
  const own = readArguments(lovage?.arguments ?? '{}')
  if (own === undefined) return undefined
  return { queue, binding: { exchange, type, routingKey: routing_key, arguments: own } }
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

function readArguments(text: string): Binding['arguments'] | undefined {
  try {
    const own: unknown = JSON.parse(text)
    return isRecord(own) ? own : {}
  } catch {
    return undefined
  }
}

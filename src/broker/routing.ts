import type { Message } from '../message/message.js'
import { leastOf } from '../util/long-list.js'
import { PublishError, QueueNotFoundError } from '../errors/errors.js'
import type { Binding, Outgoing, Route } from './contract.js'

/** A queue and how an exchange reaches it. */
export interface BoundQueue {
  readonly queue: string
  readonly binding: Binding
}

/**
 * The queues a route reaches through exchanges, each once, in the order they were bound.
 *
 * For stores that keep bindings but have no exchanges of their own. Exchange `''` is not looked at: it means the queue
 * named by the routing key.
 *
 * @param headers - The message's headers, for `headers` exchanges.
 */
export function matchBindings(
  bindings: Iterable<BoundQueue>,
  route: Route,
  headers: Message['headers'] = {},
): readonly string[] {
  const queues: string[] = []
  for (const { queue, binding } of bindings) {
    if (binding.exchange !== route.exchange || !matchesBinding(binding, route.routingKey, headers)) continue
    if (!queues.includes(queue)) queues.push(queue)
  }
  return queues
}

/** Whether one binding lets a message through; its exchange is taken for granted. */
export function matchesBinding(binding: Binding, routingKey: string, headers: Message['headers']): boolean {
  switch (binding.type) {
    case 'fanout':
      return true
    case 'direct':
      return binding.routingKey === routingKey
    case 'topic':
      return matchesTopic(binding.routingKey, routingKey)
    case 'headers':
      return matchesHeaders(binding.arguments ?? {}, headers)
  }
}

/**
 * Whether a routing key fits a topic pattern: `*` stands for one word, `#` for any number of words, none included.
 *
 * kombu's virtual transports differ in three points: there `k.*` matches `k.a.b` (kombu 5.6), and `worker.#` and `a.#.z`
 * do not match `worker` and `a.z`.
 *
 * @source AMQP 0-9-1, section 3.1.3.3.
 */
export function matchesTopic(pattern: string, routingKey: string): boolean {
  if (pattern === '#') return true
  if (!pattern.includes('*') && !pattern.includes('#')) return pattern === routingKey
  const words = routingKey === '' ? [] : routingKey.split('.')
  // Which lengths of the key's beginning the pattern read so far can match.
  let reached = new Set([0])
  for (const part of pattern.split('.')) {
    reached = part === '#' ? upFrom(reached, words.length) : stepped(reached, part, words)
  }
  return reached.has(words.length)
}

function upFrom(reached: ReadonlySet<number>, end: number): Set<number> {
  const next = new Set<number>()
  for (let position = leastOf(reached); position <= end; position += 1) next.add(position)
  return next
}

function stepped(reached: ReadonlySet<number>, part: string, words: readonly string[]): Set<number> {
  const next = new Set<number>()
  for (const position of reached) {
    if (position < words.length && (part === '*' || part === words[position])) next.add(position + 1)
  }
  return next
}

/**
 * Whether headers fit the arguments of a binding to a `headers` exchange.
 *
 * `x-match` is `all` (also when absent) or `any`; other names that begin with `x-` are not compared unless it ends in
 * `-with-x`. No argument at all matches everything under `all` and nothing under `any`.
 *
 * @source RabbitMQ 4, "Exchanges", headers exchange.
 */
export function matchesHeaders(
  wanted: Readonly<Record<string, unknown>>,
  headers: Message['headers'],
): boolean {
  const wantedMode = wanted['x-match']
  const mode = typeof wantedMode === 'string' ? wantedMode : 'all'
  const withX = mode.endsWith('-with-x')
  const names = Object.keys(wanted).filter((name) => name !== 'x-match' && (withX || !name.startsWith('x-')))
  const fits = (name: string): boolean => {
    const value = wanted[name]
    return Object.hasOwn(headers, name) && (value === undefined || value === null || value === headers[name])
  }
  return mode.startsWith('any') ? names.some(fits) : names.every(fits)
}

/** The error of a batch of which some messages have no queue to go to. */
export function unroutable(
  batch: readonly Pick<Outgoing, 'route'>[],
  indexes: readonly number[],
): PublishError {
  const { exchange = '', routingKey = '' } = batch[indexes[0] ?? 0]?.route ?? {}
  const message = `no queue is reached by exchange "${exchange}" and routing key "${routingKey}"`
  return new PublishError(message, indexes, { cause: new QueueNotFoundError(routingKey, message) })
}

/**
 * The binding key of a topic exchange as the regular expression that kombu's virtual transports store.
 *
 * @source kombu 5.7, `kombu/transport/virtual/exchange.py`, `TopicExchange.key_to_pattern`.
 */
export function topicPattern(key: string): string {
  const words = key.split('.').map((word) => {
    if (word === '*') return '[^\\.]+'
    if (word === '#') return '.*?'
    return word.replace(/[^\p{L}\p{N}_.#*]/gu, '\\$&')
  })
  return `^${words.join('\\.')}$`
}

import { ConfigError } from '../../errors/errors.js'
import type { BindingSetting, QueueSetting } from '../routing-settings.js'
import {
  camelMembers,
  countMember,
  dictMember,
  exchangeTypeMember,
  switchMember,
  textMember,
} from './members.js'
import { readDeliveryMode } from './task-settings.js'
import { isList, isPlainObject, shown } from '../../util/shown.js'
import { jsonFromText, wordsFromText } from './text.js'

/** Members of kombu's `Queue` that say the same as one of ours, or that nothing acts on. */
const KOMBU_MEMBERS: readonly string[] = [
  'bindingKey',
  'queueDurable',
  'queueAutoDelete',
  'expires',
  'messageTtl',
  'maxLength',
  'maxLengthBytes',
  'noAck',
  'consumerArguments',
]

const QUEUE_MEMBERS: ReadonlySet<string> = new Set([
  'name',
  'alias',
  'exchange',
  'exchangeType',
  'routingKey',
  'bindings',
  'queueArguments',
  'bindingArguments',
  'durable',
  'autoDelete',
  'exclusive',
  'maxPriority',
  'noDeclare',
  'deliveryMode',
  'exchangeDurable',
  'exchangeAutoDelete',
  'exchangeArguments',
  ...KOMBU_MEMBERS,
])
const BINDING_MEMBERS: ReadonlySet<string> = new Set(['exchange', 'exchangeType', 'routingKey', 'arguments'])

/** Reads `taskQueues`: a list of queues and names, or an object by name; Celery's member names are read too. */
export function readQueues(value: unknown, name: string): readonly QueueSetting[] {
  const queues = isList(value) ? fromList(value, name) : fromObject(value, name)
  const seen = new Set<string>()
  for (const queue of queues) {
    if (seen.has(queue.name)) throw new ConfigError(`${name} has the queue "${queue.name}" twice`)
    seen.add(queue.name)
  }
  return queues
}

function fromList(list: readonly unknown[], name: string): readonly QueueSetting[] {
  return list.map((item, index) =>
    readQueue(typeof item === 'string' ? { name: item } : item, `${name}[${index}]`),
  )
}

function fromObject(value: unknown, name: string): readonly QueueSetting[] {
  if (!isPlainObject(value)) {
    throw new ConfigError(
      `expected ${name} to be a list of queues or an object by name, got: ${shown(value)}`,
    )
  }
  return Object.entries(value).map(([queue, item]) => {
    const place = `${name}["${queue}"]`
    if (item !== null && item !== undefined && !isPlainObject(item)) {
      throw new ConfigError(`expected ${place} to be an object, got: ${shown(item)}`)
    }
    return readQueue({ ...item, name: queue }, place)
  })
}

function readQueue(value: unknown, place: string): QueueSetting {
  const given = camelMembers(value, QUEUE_MEMBERS, place)
  readKombuMembers(given, place)
  const name = textMember(given, 'name', place)
  if (name === undefined) throw new ConfigError(`expected ${place} to have a name, got: ${shown(value)}`)
  const bindings = given.get('bindings')
  const queueArguments = dictMember(given, 'queueArguments', place)
  const bindingArguments = dictMember(given, 'bindingArguments', place)
  const maxPriority = countMember(given, 'maxPriority', place)
  const alias = textMember(given, 'alias', place)
  return {
    name,
    ...(alias !== undefined && { alias }),
    ...exchangeMembers(given, place),
    ...(bindings !== undefined && { bindings: readBindings(bindings, `${place}.bindings`) }),
    ...(queueArguments && { queueArguments }),
    ...(bindingArguments && { bindingArguments }),
    ...switchMembers(given, place),
    ...exchangeOptions(given, place),
    ...(maxPriority !== undefined && { maxPriority }),
  }
}

function exchangeOptions(given: ReadonlyMap<string, unknown>, place: string): Partial<QueueSetting> {
  const exchangeDurable = switchMember(given, 'exchangeDurable', place)
  const exchangeAutoDelete = switchMember(given, 'exchangeAutoDelete', place)
  const exchangeArguments = dictMember(given, 'exchangeArguments', place)
  const deliveryMode = given.get('deliveryMode')
  return {
    ...(exchangeDurable !== undefined && { exchangeDurable }),
    ...(exchangeAutoDelete !== undefined && { exchangeAutoDelete }),
    ...(exchangeArguments && { exchangeArguments }),
    ...(deliveryMode !== undefined && {
      deliveryMode: readDeliveryMode(deliveryMode, `${place}.deliveryMode`),
    }),
  }
}

function switchMembers(given: ReadonlyMap<string, unknown>, place: string): Partial<QueueSetting> {
  const durable = switchMember(given, 'durable', place)
  const autoDelete = switchMember(given, 'autoDelete', place)
  const exclusive = switchMember(given, 'exclusive', place)
  const noDeclare = switchMember(given, 'noDeclare', place)
  return {
    ...(noDeclare !== undefined && { noDeclare }),
    ...(durable !== undefined && { durable }),
    ...(autoDelete !== undefined && { autoDelete }),
    ...(exclusive !== undefined && { exclusive }),
  }
}

function exchangeMembers(given: ReadonlyMap<string, unknown>, place: string): Partial<BindingSetting> {
  const exchange = textMember(given, 'exchange', place)
  const exchangeType = exchangeTypeMember(given, place)
  const routingKey = given.get('routingKey') === '' ? '' : textMember(given, 'routingKey', place)
  return {
    ...(exchange && { exchange }),
    ...(exchangeType && { exchangeType }),
    // Fanout and headers exchanges ignore the key: the empty one is as good as any.
    ...(routingKey !== undefined && { routingKey }),
  }
}

function readBindings(value: unknown, place: string): readonly BindingSetting[] {
  if (!isList(value)) throw new ConfigError(`expected ${place} to be a list, got: ${shown(value)}`)
  return value.map((item, index) => readBinding(item, `${place}[${index}]`))
}

function readBinding(value: unknown, place: string): BindingSetting {
  const given = camelMembers(value, BINDING_MEMBERS, place)
  const exchange = textMember(given, 'exchange', place)
  if (exchange === undefined)
    throw new ConfigError(`expected ${place} to have an exchange, got: ${shown(value)}`)
  const matched = dictMember(given, 'arguments', place)
  return { ...exchangeMembers(given, place), exchange, ...(matched && { arguments: matched }) }
}

/** Reads text of the environment or an ini file: JSON, or the names of queues. */
export function queuesFromText(text: string, name: string): unknown {
  return /^[[{]/.test(text) ? jsonFromText(text, name) : wordsFromText(text, name)
}

/**
 * Move what kombu calls otherwise to the members that this library has.
 *
 * @source kombu 5.7, `kombu/entity.py`, `Queue.from_dict`; `kombu/transport/base.py`, `to_rabbitmq_queue_arguments`.
 * @throws {@link ConfigError} for what nothing would act on.
 */
function readKombuMembers(given: Map<string, unknown>, place: string): void {
  shareWithExchange(given, 'durable', 'exchangeDurable')
  shareWithExchange(given, 'autoDelete', 'exchangeAutoDelete')
  rename(given, 'queueDurable', 'durable')
  rename(given, 'queueAutoDelete', 'autoDelete')
  rename(given, 'bindingKey', 'routingKey')
  addArguments(given, place)
  refuseIdle(given, place)
}

/** `durable` and `auto_delete` are meant for the exchange too, as long as it has no value of its own. */
function shareWithExchange(given: Map<string, unknown>, shared: string, own: string): void {
  const value = given.get(shared)
  if (value !== undefined && given.has('exchange') && !given.has(own)) given.set(own, value)
}

function rename(given: Map<string, unknown>, kombu: string, ours: string): void {
  const value = given.get(kombu)
  if (value !== undefined && value !== '') given.set(ours, value)
}

function addArguments(given: Map<string, unknown>, place: string): void {
  const args = Object.fromEntries([
    ...argument(given, 'maxLength', 'x-max-length', place),
    ...argument(given, 'maxLengthBytes', 'x-max-length-bytes', place),
    ...millisecondsArgument(given, 'expires', 'x-expires', place),
    ...millisecondsArgument(given, 'messageTtl', 'x-message-ttl', place),
  ])
  if (Object.keys(args).length === 0) return
  given.set('queueArguments', { ...dictMember(given, 'queueArguments', place), ...args })
}

type Entries = readonly (readonly [string, unknown])[]

function argument(given: ReadonlyMap<string, unknown>, key: string, name: string, place: string): Entries {
  const value = countMember(given, key, place)
  return value === undefined ? [] : [[name, value]]
}

function millisecondsArgument(
  given: ReadonlyMap<string, unknown>,
  key: string,
  name: string,
  place: string,
): Entries {
  const value = given.get(key)
  if (value === undefined) return []
  if (typeof value === 'number' && value >= 0) return [[name, Math.trunc(value * 1000)]]
  throw new ConfigError(`expected ${place}.${key} to be seconds, got: ${shown(value)}`)
}

function refuseIdle(given: ReadonlyMap<string, unknown>, place: string): void {
  if (switchMember(given, 'noAck', place) === true) {
    throw new ConfigError(
      `${place}.noAck is not supported; set acksLate: false on tasks that may run at most once`,
    )
  }
  const args = given.get('consumerArguments')
  if (args === undefined || (isPlainObject(args) && Object.keys(args).length === 0)) return
  throw new ConfigError(`${place}.consumerArguments are not supported; leave them out`)
}

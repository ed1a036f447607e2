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
    const path = `${name}["${queue}"]`
    if (item !== null && item !== undefined && !isPlainObject(item)) {
      throw new ConfigError(`expected ${path} to be an object, got: ${shown(item)}`)
    }
    return readQueue({ ...item, name: queue }, path)
  })
}

function readQueue(value: unknown, path: string): QueueSetting {
  const given = camelMembers(value, QUEUE_MEMBERS, path)
  readKombuMembers(given, path)
  const name = textMember(given, 'name', path)
  if (name === undefined) throw new ConfigError(`expected ${path} to have a name, got: ${shown(value)}`)
  const bindings = given.get('bindings')
  const queueArguments = dictMember(given, 'queueArguments', path)
  const bindingArguments = dictMember(given, 'bindingArguments', path)
  const maxPriority = countMember(given, 'maxPriority', path)
  const alias = textMember(given, 'alias', path)
  return {
    name,
    ...(alias !== undefined && { alias }),
    ...exchangeMembers(given, path),
    ...(bindings !== undefined && { bindings: readBindings(bindings, `${path}.bindings`) }),
    ...(queueArguments && { queueArguments }),
    ...(bindingArguments && { bindingArguments }),
    ...switchMembers(given, path),
    ...exchangeOptions(given, path),
    ...(maxPriority !== undefined && { maxPriority }),
  }
}

function exchangeOptions(given: ReadonlyMap<string, unknown>, path: string): Partial<QueueSetting> {
  const exchangeDurable = switchMember(given, 'exchangeDurable', path)
  const exchangeAutoDelete = switchMember(given, 'exchangeAutoDelete', path)
  const exchangeArguments = dictMember(given, 'exchangeArguments', path)
  const deliveryMode = given.get('deliveryMode')
  return {
    ...(exchangeDurable !== undefined && { exchangeDurable }),
    ...(exchangeAutoDelete !== undefined && { exchangeAutoDelete }),
    ...(exchangeArguments && { exchangeArguments }),
    ...(deliveryMode !== undefined && {
      deliveryMode: readDeliveryMode(deliveryMode, `${path}.deliveryMode`),
    }),
  }
}

function switchMembers(given: ReadonlyMap<string, unknown>, path: string): Partial<QueueSetting> {
  const durable = switchMember(given, 'durable', path)
  const autoDelete = switchMember(given, 'autoDelete', path)
  const exclusive = switchMember(given, 'exclusive', path)
  const noDeclare = switchMember(given, 'noDeclare', path)
  return {
    ...(noDeclare !== undefined && { noDeclare }),
    ...(durable !== undefined && { durable }),
    ...(autoDelete !== undefined && { autoDelete }),
    ...(exclusive !== undefined && { exclusive }),
  }
}

function exchangeMembers(given: ReadonlyMap<string, unknown>, path: string): Partial<BindingSetting> {
  const exchange = textMember(given, 'exchange', path)
  const exchangeType = exchangeTypeMember(given, path)
  const routingKey = given.get('routingKey') === '' ? '' : textMember(given, 'routingKey', path)
  return {
    ...(exchange && { exchange }),
    ...(exchangeType && { exchangeType }),
    // Fanout and headers exchanges ignore the key: the empty one is as good as any.
    ...(routingKey !== undefined && { routingKey }),
  }
}

function readBindings(value: unknown, path: string): readonly BindingSetting[] {
  if (!isList(value)) throw new ConfigError(`expected ${path} to be a list, got: ${shown(value)}`)
  return value.map((item, index) => readBinding(item, `${path}[${index}]`))
}

function readBinding(value: unknown, path: string): BindingSetting {
  const given = camelMembers(value, BINDING_MEMBERS, path)
  const exchange = textMember(given, 'exchange', path)
  if (exchange === undefined)
    throw new ConfigError(`expected ${path} to have an exchange, got: ${shown(value)}`)
  const matched = dictMember(given, 'arguments', path)
  return { ...exchangeMembers(given, path), exchange, ...(matched && { arguments: matched }) }
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
function readKombuMembers(given: Map<string, unknown>, path: string): void {
  shareWithExchange(given, 'durable', 'exchangeDurable')
  shareWithExchange(given, 'autoDelete', 'exchangeAutoDelete')
  rename(given, 'queueDurable', 'durable')
  rename(given, 'queueAutoDelete', 'autoDelete')
  rename(given, 'bindingKey', 'routingKey')
  addArguments(given, path)
  refuseIdle(given, path)
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

function addArguments(given: Map<string, unknown>, path: string): void {
  const args = Object.fromEntries([
    ...argument(given, 'maxLength', 'x-max-length', path),
    ...argument(given, 'maxLengthBytes', 'x-max-length-bytes', path),
    ...millisecondsArgument(given, 'expires', 'x-expires', path),
    ...millisecondsArgument(given, 'messageTtl', 'x-message-ttl', path),
  ])
  if (Object.keys(args).length === 0) return
  given.set('queueArguments', { ...dictMember(given, 'queueArguments', path), ...args })
}

type Entries = readonly (readonly [string, unknown])[]

function argument(given: ReadonlyMap<string, unknown>, key: string, name: string, path: string): Entries {
  const value = countMember(given, key, path)
  return value === undefined ? [] : [[name, value]]
}

function millisecondsArgument(
  given: ReadonlyMap<string, unknown>,
  key: string,
  name: string,
  path: string,
): Entries {
  const value = given.get(key)
  if (value === undefined) return []
  if (typeof value === 'number' && value >= 0) return [[name, Math.trunc(value * 1000)]]
  throw new ConfigError(`expected ${path}.${key} to be seconds, got: ${shown(value)}`)
}

function refuseIdle(given: ReadonlyMap<string, unknown>, path: string): void {
  if (switchMember(given, 'noAck', path) === true) {
    throw new ConfigError(
      `${path}.noAck is not supported; set acksLate: false on tasks that may run at most once`,
    )
  }
  const args = given.get('consumerArguments')
  if (args === undefined || (isPlainObject(args) && Object.keys(args).length === 0)) return
  throw new ConfigError(`${path}.consumerArguments are not supported; leave them out`)
}

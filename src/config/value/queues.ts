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
import { KOMBU_MEMBERS, readKombuMembers } from './kombu-queue.js'
import { readDeliveryMode } from './task-settings.js'
import { isList, isPlainObject, shown } from './shown.js'
import { jsonFromText, wordsFromText } from './text.js'

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

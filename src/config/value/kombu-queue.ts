import { ConfigError } from '../../errors/errors.js'
import { countMember, dictMember, switchMember } from './members.js'
import { isPlainObject, shown } from './shown.js'

/** Members of kombu's `Queue` that say the same as one of ours, or that nothing acts on. */
export const KOMBU_MEMBERS: readonly string[] = [
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

/**
 * Move what kombu calls otherwise to the members that this library has.
 *
 * @source kombu 5.7, `kombu/entity.py`, `Queue.from_dict`; `kombu/transport/base.py`, `to_rabbitmq_queue_arguments`.
 * @throws {@link ConfigError} for what nothing would act on.
 */
export function readKombuMembers(given: Map<string, unknown>, place: string): void {
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

import { ConfigError } from '../../errors/errors.js'
import { camel } from './members.js'
import { isList, isPlainObject, shown } from '../../util/shown.js'

/** Whether a message is written to disk: by number, as AMQP says it, or by name. */
export type DeliveryModeSetting = 1 | 2 | 'transient' | 'persistent'

/** Options of tasks by name, or by `*` for all of them. */
export type TaskAnnotations = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** Reads `taskAnnotations`: one object, or a list. Which options there are is known where a task is. */
export function readAnnotations(value: unknown, name: string): readonly TaskAnnotations[] {
  return (isList(value) ? value : [value]).map((annotations) =>
    mapped(annotations, name, (task, options) => [
      task,
      mapped(options, `${name}["${task}"]`, (key, option) => [camel(key), option]),
    ]),
  )
}

function mapped<Value>(
  value: unknown,
  name: string,
  change: (key: string, member: unknown) => readonly [string, Value],
): Readonly<Record<string, Value>> {
  if (!isPlainObject(value)) throw new ConfigError(`expected ${name} to be an object, got: ${shown(value)}`)
  return Object.fromEntries(Object.entries(value).map(([key, member]) => change(key, member)))
}

/** Reads a delivery mode by number, digit or name. */
export function readDeliveryMode(value: unknown, name: string): 1 | 2 {
  if (value === 1 || value === '1' || value === 'transient') return 1
  if (value === 2 || value === '2' || value === 'persistent') return 2
  throw new ConfigError(`expected ${name} to be 1, 2, "transient" or "persistent", got: ${shown(value)}`)
}

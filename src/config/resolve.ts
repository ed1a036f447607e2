import type { Config, ConfigInput } from './config.js'
import { settingsFromObject } from './source/from-object.js'
import { OPTIONS } from './option/option-table.js'
import type { WrittenValue } from './source/loaded-settings.js'
import { readOption } from './value/read-option.js'
import { ConfigError } from '../errors/errors.js'
import type { Option } from './option/option.js'
import { isList, shown } from '../util/shown.js'

/**
 * Every option resolved: checked, defaults filled in, lengths of time in milliseconds. The result is frozen.
 *
 * @param input - Options in any of their spellings.
 * @throws {@link ConfigError} for an unknown name, a value that does not fit, or a combination that cannot work.
 */
export function resolveConfig(input: ConfigInput = {}): Config {
  return resolveWritten(settingsFromObject(input).values)
}

/** As {@link resolveConfig}, for values that were read from sources. */
export function resolveWritten(written: ReadonlyMap<string, WrittenValue>): Config {
  const resolved = new Map<string, unknown>()
  for (const [name, option] of OPTIONS) {
    const given = written.get(name)
    resolved.set(name, readOption(option, given?.value, given?.label ?? name))
  }
  fillIn(resolved)
  checkCombinations((name) => resolved.get(name))
  const config: Record<string, unknown> = {}
  for (const [name, option] of OPTIONS) config[resolvedName(name, option)] = resolved.get(name)
  if (!isConfig(config)) throw new ConfigError('the option table and the type Config disagree')
  return Object.freeze(config)
}

/** Options that follow another one when they are not set; the other may follow a third. */
function fillIn(resolved: Map<string, unknown>): void {
  const valueOf = (name: string): unknown => {
    const value = resolved.get(name)
    if (value !== undefined) return value
    const option = OPTIONS.get(name)
    return option?.sameAs === undefined ? option?.derive?.(valueOf) : valueOf(option.sameAs)
  }
  for (const name of OPTIONS.keys()) resolved.set(name, valueOf(name))
}

/** The name of an option in the resolved config: lengths of time end in `Ms`. */
function resolvedName(name: string, option: Option): string {
  return option.kind === 'duration' ? `${name}Ms` : name
}

/** Whether an object has a member for every option of the table; their types were seen to when they were read. */
function isConfig(value: Readonly<Record<string, unknown>>): value is Record<string, unknown> & Config {
  return [...OPTIONS].every(([name, option]) => resolvedName(name, option) in value)
}

type ValueOf = (name: string) => unknown

const PICKLE: ReadonlySet<string> = new Set(['pickle', 'application/x-python-serialize'])
const PICKLE_REASON =
  'because reading a pickle runs whatever code its sender put into it; let Python send "json", "yaml" or "msgpack"'

/**
 * Refuses what no value alone shows to be wrong.
 *
 * @throws {@link ConfigError}
 */
function checkCombinations(valueOf: ValueOf): void {
  checkLimits(valueOf)
  checkPickle(valueOf)
  checkTimezone(valueOf)
  checkQueues(valueOf)
}

function checkLimits(valueOf: ValueOf): void {
  const soft = valueOf('taskSoftTimeLimit')
  const hard = valueOf('taskTimeLimit')
  if (typeof soft !== 'number' || typeof hard !== 'number' || soft <= hard) return
  throw new ConfigError(
    `taskSoftTimeLimit (${soft / 1000} seconds) is longer than taskTimeLimit (${hard / 1000} seconds), ` +
      `so it could never act; make it shorter`,
  )
}

function checkPickle(valueOf: ValueOf): void {
  for (const name of ['acceptContent', 'resultAcceptContent']) {
    const value = valueOf(name)
    const refused = isList(value) && value.find((type) => typeof type === 'string' && PICKLE.has(type))
    if (refused !== undefined && refused !== false) {
      throw new ConfigError(`${name} cannot have ${shown(refused)}, ${PICKLE_REASON}`)
    }
  }
  for (const name of ['taskSerializer', 'resultSerializer']) {
    const value = valueOf(name)
    if (typeof value === 'string' && PICKLE.has(value)) {
      throw new ConfigError(`${name} cannot be ${shown(value)}, ${PICKLE_REASON}`)
    }
  }
}

function checkTimezone(valueOf: ValueOf): void {
  const zone = valueOf('timezone')
  // Loading the time zones takes a command 40 ms.
  if (typeof zone !== 'string' || zone === 'UTC') return
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
  } catch (cause) {
    throw new ConfigError(
      `expected timezone to be an IANA name such as "Europe/London", got: ${shown(zone)}`,
      { cause },
    )
  }
}

/** With missing queues refused, the default queue has to be among the listed ones. */
function checkQueues(valueOf: ValueOf): void {
  const queues = valueOf('taskQueues')
  const defaultQueue = valueOf('taskDefaultQueue')
  if (valueOf('taskCreateMissingQueues') !== false || !isList(queues)) return
  const names = queues.map((queue) => nameOf(queue))
  if (names.includes(defaultQueue)) return
  throw new ConfigError(
    `taskDefaultQueue ${shown(defaultQueue)} is not in taskQueues (${names.map(shown).join(', ')}), and ` +
      `taskCreateMissingQueues is false; list it, or set taskDefaultQueue to one of them`,
  )
}

function nameOf(queue: unknown): unknown {
  return typeof queue === 'object' && queue !== null && 'name' in queue ? queue.name : undefined
}

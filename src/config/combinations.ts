import { ConfigError } from '../errors/errors.js'
import { isList, shown } from './value/shown.js'

type ValueOf = (name: string) => unknown

const PICKLE: ReadonlySet<string> = new Set(['pickle', 'application/x-python-serialize'])
const PICKLE_REASON =
  'because reading a pickle runs whatever code its sender put into it; let Python send "json", "yaml" or "msgpack"'

/**
 * Refuses what no value alone shows to be wrong.
 *
 * @throws {@link ConfigError}
 */
export function checkCombinations(valueOf: ValueOf): void {
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

import { ConfigError } from '../../errors/errors.js'
import { isPlainObject, shown } from '../../util/shown.js'

/** A periodic task as a setting. */
export interface BeatEntrySetting {
  /** The task's name. */
  readonly task: string
  /**
   * When it runs: a length of time, an object with `next` such as `crontab()`, or plain data
   * (`{ type: 'crontab', hour: 8, minute: 0 }`) as an ini file gives it.
   */
  readonly schedule: unknown
  readonly args?: readonly unknown[]
  readonly kwargs?: Readonly<Record<string, unknown>>
  /** Options of the call: `queue`, `expires`, `priority`, … */
  readonly options?: Readonly<Record<string, unknown>>
  /** Whether an interval is rounded to the clock. */
  readonly relative?: boolean
  /** IANA zone of the entry; that of the app when left out. */
  readonly timezone?: string
  /** What becomes of missed instants: `last`, `skip`, `all`, or `{ policy: 'all', window }`. */
  readonly catchUp?: unknown
  /** `false` keeps the entry and sends nothing. */
  readonly enabled?: boolean
}

/** Periodic tasks by name, as written. */
export type BeatScheduleInput = Readonly<Record<string, BeatEntrySetting>>

/** Periodic tasks by name. */
export type BeatSchedule = Readonly<Record<string, BeatEntrySetting>>

/** Reads the schedule; what `schedule` itself may be is checked by beat, which knows the kinds. */
export function readBeatSchedule(value: unknown, name: string): BeatSchedule {
  if (!isPlainObject(value)) {
    throw new ConfigError(`expected ${name} to be an object of entries by name, got: ${shown(value)}`)
  }
  return Object.fromEntries(
    Object.entries(value).map(([entry, setting]) => [entry, readEntry(setting, `${name}["${entry}"]`)]),
  )
}

function readEntry(value: unknown, name: string): BeatEntrySetting {
  if (!isPlainObject(value)) {
    throw new ConfigError(`expected ${name} to be an object with task and schedule, got: ${shown(value)}`)
  }
  const { task, schedule, args, kwargs, options } = value
  if (typeof task !== 'string' || task === '') {
    throw new ConfigError(`expected ${name}.task to be the name of a task, got: ${shown(task)}`)
  }
  if (schedule === undefined || schedule === null) {
    throw new ConfigError(
      `expected ${name}.schedule to be a length of time or a schedule, got: ${shown(schedule)}`,
    )
  }
  return {
    task,
    schedule,
    ...(args !== undefined && args !== null && { args: readArgs(args, name) }),
    ...(isGiven(kwargs) && { kwargs: readObject(kwargs, `${name}.kwargs`) }),
    ...(isGiven(options) && { options: readObject(options, `${name}.options`) }),
    ...readTiming(value),
  }
}

/** What is not Celery's is checked by beat, as the schedule is. */
function readTiming({
  relative,
  timezone,
  catchUp,
  enabled,
}: Readonly<Record<string, unknown>>): Partial<BeatEntrySetting> {
  return {
    ...(typeof relative === 'boolean' && { relative }),
    ...(typeof timezone === 'string' && { timezone }),
    ...(isGiven(catchUp) && { catchUp }),
    ...(typeof enabled === 'boolean' && { enabled }),
  }
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}

function readArgs(value: unknown, name: string): readonly unknown[] {
  if (Array.isArray(value)) return value.map((item: unknown) => item)
  throw new ConfigError(`expected ${name}.args to be a list, got: ${shown(value)}`)
}

function readObject(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (isPlainObject(value)) return value
  throw new ConfigError(`expected ${name} to be an object, got: ${shown(value)}`)
}

/** Reads text: JSON, and never a Python expression. */
export function beatScheduleFromText(text: string, name: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch (cause) {
    throw new ConfigError(
      `${name} holds a Python expression, which is not evaluated; write each entry as a section of its own: ` +
        `[celerybeat:name] with task = …, type = crontab | timedelta | integer and schedule = {"minute": 0}`,
      { cause },
    )
  }
}

import { isPlainObject } from '../util/shown.js'
import { ConfigError } from '../errors/errors.js'
import { inZone, momentMs, zoneNamed } from '../schedule/moment.js'
import { readSchedule, type ScheduleInput } from '../schedule/read-schedule.js'
import type { Schedule } from '../schedule/schedule.js'
import type { CallOptions } from '../task/call-options.js'
import { checkCallOptions } from '../task/check-call.js'
import { toMs, type DurationInput } from '../util/duration.js'
import { isRecord } from '../util/record.js'
import { withoutNulls } from '../util/without-nulls.js'
import { refuseUnknown, type KnownMembers } from '../util/known-members.js'

/**
 * What becomes of instants at which no beat ran: `last` sends the last of them once, as Celery does; `skip` sends none;
 * `all` sends each, as far back as the window goes.
 */
export type CatchUpPolicy = 'last' | 'skip' | 'all'

/** A policy alone, or `all` with its window. */
export type CatchUpInput = CatchUpPolicy | { readonly policy: CatchUpPolicy; readonly window?: DurationInput }

/** What becomes of missed instants. */
export interface CatchUp {
  readonly policy: CatchUpPolicy
  /** How far back `all` goes, in milliseconds. */
  readonly windowMs: number
}

/** A periodic task as it is written: what is sent, and when. */
export interface EntryInput {
  /** The name of the task. */
  readonly task: string
  /** When: a length of time (a number is seconds), a line of cron, an instant, `crontab()` and its kin, plain data. */
  readonly schedule: ScheduleInput
  readonly args?: readonly unknown[]
  readonly kwargs?: Readonly<Record<string, unknown>>
  /** Options of the call, also under Celery's names: `queue`, `expires`, `routing_key`. */
  readonly options?: CallOptions | Readonly<Record<string, unknown>>
  /** Whether an interval is rounded to the clock. */
  readonly relative?: boolean
  /** IANA zone of this entry; that of the app when left out. */
  readonly timezone?: string
  /**
   * What becomes of instants at which no beat ran: a {@link CatchUpInput}.
   *
   * @defaultValue `last`
   */
  readonly catchUp?: unknown
  /**
   * `false` keeps the entry and sends nothing.
   *
   * @defaultValue `true`
   */
  readonly enabled?: boolean
}

/** A periodic task, read and checked. */
export interface PeriodicEntry {
  readonly name: string
  readonly task: string
  readonly schedule: Schedule
  readonly args: readonly unknown[]
  readonly kwargs: Readonly<Record<string, unknown>>
  readonly options: CallOptions
  readonly timezone: string | undefined
  readonly catchUp: CatchUp
  readonly enabled: boolean
}

const ENTRY = {
  task: true,
  schedule: true,
  args: true,
  kwargs: true,
  options: true,
  relative: true,
  timezone: true,
  catchUp: true,
  enabled: true,
} satisfies KnownMembers<EntryInput>
const CATCH_UP = { policy: true, window: true } satisfies KnownMembers<Exclude<CatchUpInput, CatchUpPolicy>>

const WINDOW_MS = 86_400_000

/**
 * Read a periodic task.
 *
 * @throws {@link ConfigError} that names the entry.
 */
export function readEntry(name: string, input: EntryInput): PeriodicEntry {
  const what = `the periodic task "${name}"`
  const given = withoutNulls(input)
  refuseUnknown(input, ENTRY, what)
  const { task, args = [], kwargs = {}, relative = false, timezone, enabled = true } = given
  if (!isName(task)) throw new ConfigError(`expected ${what} to name its task, got: ${JSON.stringify(task)}`)
  if (!isPlainObject(kwargs)) throw new ConfigError(`expected kwargs of ${what} to be a plain object`)
  if (timezone !== undefined) zoneNamed(timezone)
  return {
    name,
    task,
    schedule: readSchedule(input.schedule, what, { relative }),
    args,
    kwargs,
    options: readOptions(given.options ?? {}, what),
    timezone,
    catchUp: readCatchUp(given.catchUp ?? 'last', what),
    enabled,
  }
}

/** The next instant of an entry, in epoch milliseconds; `undefined` when there is none any more. */
export function nextOfEntry(
  { schedule, timezone }: Pick<PeriodicEntry, 'schedule' | 'timezone'>,
  afterMs: number,
  appTimezone: string,
): number | undefined {
  const options = { timezone: timezone ?? appTimezone }
  const next = schedule.next(inZone(afterMs, zoneNamed(options.timezone)), options)
  if (next === undefined) return undefined
  const nextMs = momentMs(next)
  if (nextMs > afterMs) return nextMs
  throw new ConfigError(
    `a schedule has to move on: after ${new Date(afterMs).toISOString()} it gave ${new Date(nextMs).toISOString()}`,
  )
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function readOptions(options: object, what: string): CallOptions {
  const read = Object.fromEntries(
    Object.entries(withoutNulls(options)).map(([key, value]) => [camel(key), value]),
  )
  if (!isCallOptions(read)) throw new ConfigError(`expected options of ${what} to be an object`)
  checkCallOptions(read, what)
  return inSeconds(read)
}

/** Lengths of time as numbers, which every store keeps. */
function inSeconds(options: CallOptions): CallOptions {
  const seconds = (option: 'countdown' | 'timeLimit' | 'softTimeLimit'): Partial<CallOptions> => {
    const length = options[option]
    return length === undefined ? {} : { [option]: toMs(length, option) / 1000 }
  }
  const { expires } = options
  const ends =
    expires === undefined || expires instanceof Date ? {} : { expires: toMs(expires, 'expires') / 1000 }
  return {
    ...options,
    ...seconds('countdown'),
    ...seconds('timeLimit'),
    ...seconds('softTimeLimit'),
    ...ends,
  }
}

/** Whatever is in it is checked by name, and by value where it is used. */
function isCallOptions(value: object): value is CallOptions {
  return isRecord(value)
}

function camel(key: string): string {
  return key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

function readCatchUp(input: unknown, what: string): CatchUp {
  if (isRecord(input)) refuseUnknown(input, CATCH_UP, `catchUp of ${what}`)
  const { policy, window } = isRecord(input) ? input : { policy: input, window: undefined }
  if (!isPolicy(policy))
    throw new ConfigError(
      `expected catchUp of ${what} to be last, skip or all, got: ${JSON.stringify(policy)}`,
    )
  if (window === undefined) return { policy, windowMs: WINDOW_MS }
  const isLength = typeof window === 'number' || isRecord(window)
  if (!isLength) throw new ConfigError(`expected the window of ${what} to be a length of time`)
  return { policy, windowMs: toMs(window, `the window of ${what}`) }
}

function isPolicy(value: unknown): value is CatchUpPolicy {
  return value === 'last' || value === 'skip' || value === 'all'
}

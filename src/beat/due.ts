import { nextOfEntry, type PeriodicEntry } from './entry.js'
import { Crontab } from '../schedule/crontab.js'
import { Interval } from '../schedule/interval.js'
import { inZone, momentMs, zoneNamed } from '../schedule/moment.js'

/** What is due of an entry. */
export interface Due {
  /** Instants to send, ascending, in epoch milliseconds. */
  readonly sendMs: readonly number[]
  /** How many instants are passed over; no more than a thousand are counted of a schedule that is no interval. */
  readonly missed: number
  /** The last instant that is done with. */
  readonly doneMs: number
}

/** What decides what is due. */
export interface DueOptions {
  readonly nowMs: number
  /** Zone of entries that name none. */
  readonly timezone: string
  /** How late a crontab may still be sent, in milliseconds. */
  readonly deadlineMs: number | undefined
}

/** How late an instant of the policy `skip` may be: a takeover takes up to ten seconds. */
const SKIP_AFTER_MS = 30_000
/** Most instants of one entry that one look sends, or counts. */
const MOST_AT_ONCE = 1000

/**
 * What of an entry is due after an instant that is done with; `undefined` when nothing is.
 *
 * @throws `ConfigError` for a schedule that does not move on.
 */
export function dueOf(entry: PeriodicEntry, doneMs: number, options: DueOptions): Due | undefined {
  const { nowMs } = options
  const firstMs = nextOfEntry(entry, doneMs, options.timezone)
  if (firstMs === undefined || firstMs > nowMs) return undefined
  if (entry.catchUp.policy === 'all') return allDue(entry, firstMs, options)
  const lastMs = latestOf(entry, firstMs, options)
  const lateMs = nowMs - lastMs
  const isTooLate =
    (entry.catchUp.policy === 'skip' && lateMs > SKIP_AFTER_MS) || lateMs > deadlineOf(entry, options)
  const missed = countBefore(entry, firstMs, lastMs, options) + (isTooLate ? 1 : 0)
  return { sendMs: isTooLate ? [] : [lastMs], missed, doneMs: lastMs }
}

function allDue(entry: PeriodicEntry, firstMs: number, options: DueOptions): Due {
  const { nowMs, timezone } = options
  const beforeMs = nowMs - Math.min(entry.catchUp.windowMs, deadlineOf(entry, options)) - 1
  let missed = 0
  let atMs: number | undefined = firstMs
  let doneMs = firstMs
  if (firstMs <= beforeMs) {
    doneMs = latestOf(entry, firstMs, { ...options, nowMs: beforeMs })
    missed = countBefore(entry, firstMs, doneMs, options) + 1
    atMs = nextOfEntry(entry, doneMs, timezone)
  }
  const sendMs: number[] = []
  while (atMs !== undefined && atMs <= nowMs && sendMs.length < MOST_AT_ONCE) {
    sendMs.push(atMs)
    atMs = nextOfEntry(entry, atMs, timezone)
  }
  return { sendMs, missed, doneMs: sendMs.at(-1) ?? doneMs }
}

/** @source Celery 5.7, `celery/schedules.py`: `crontab.is_due` alone asks for it. */
function deadlineOf({ schedule }: PeriodicEntry, { deadlineMs }: DueOptions): number {
  return schedule instanceof Crontab ? (deadlineMs ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY
}

/** How many instants there are from the first to before the last. */
function countBefore(
  entry: PeriodicEntry,
  firstMs: number,
  lastMs: number,
  { timezone }: Pick<DueOptions, 'timezone'>,
): number {
  const { schedule } = entry
  if (schedule instanceof Interval && !schedule.relative)
    return Math.round((lastMs - firstMs) / schedule.everyMs)
  let count = 0
  let atMs: number | undefined = firstMs
  while (atMs !== undefined && atMs < lastMs && count < MOST_AT_ONCE) {
    count += 1
    atMs = nextOfEntry(entry, atMs, timezone)
  }
  return count
}

/** The latest instant up to now, from the first that is due; schedules without memory are asked from ever further back. */
function latestOf(entry: PeriodicEntry, firstMs: number, { nowMs, timezone }: DueOptions): number {
  const zone = { timezone: entry.timezone ?? timezone }
  const dated = (ms: number): ReturnType<typeof inZone> => inZone(ms, zoneNamed(zone.timezone))
  if (entry.schedule.latest !== undefined) {
    const latest = entry.schedule.latest(dated(firstMs), dated(nowMs), zone)
    return latest === undefined ? firstMs : momentMs(latest)
  }
  for (let backMs = 60_000; nowMs - backMs > firstMs; backMs *= 8) {
    const atMs = nextOfEntry(entry, nowMs - backMs, timezone)
    if (atMs !== undefined && atMs <= nowMs) return lastFrom(entry, atMs, nowMs, timezone)
  }
  return lastFrom(entry, firstMs, nowMs, timezone)
}

function lastFrom(entry: PeriodicEntry, firstMs: number, nowMs: number, timezone: string): number {
  let lastMs = firstMs
  for (;;) {
    const atMs = nextOfEntry(entry, lastMs, timezone)
    if (atMs === undefined || atMs > nowMs) return lastMs
    lastMs = atMs
  }
}

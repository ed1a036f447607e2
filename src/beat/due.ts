import { nextOfEntry, type PeriodicEntry } from '../app/periodic/entry.js'
import { inZone, momentMs, zoneNamed } from '../schedule/moment.js'

/** What is due of an entry. */
export interface Due {
  /** Instants to send, ascending, in epoch milliseconds. */
  readonly sendMs: readonly number[]
  /** How many instants are passed over, as far as they were counted. */
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
/** Most instants that one look sends of one entry. */
const MOST_AT_ONCE = 1000

/**
 * What of an entry is due after an instant that is done with; `undefined` when nothing is.
 *
 * @throws `ConfigError` for a schedule that does not move on.
 */
export function dueOf(entry: PeriodicEntry, doneMs: number, options: DueOptions): Due | undefined {
  const { nowMs, timezone } = options
  const next = (afterMs: number): number | undefined => nextOfEntry(entry, afterMs, timezone)
  const firstMs = next(doneMs)
  if (firstMs === undefined || firstMs > nowMs) return undefined
  if (entry.catchUp.policy === 'all') return allDue(entry, doneMs, nowMs, next)
  const lastMs = latestOf(entry, firstMs, options)
  const lateMs = nowMs - lastMs
  const isTooLate =
    (entry.catchUp.policy === 'skip' && lateMs > SKIP_AFTER_MS) ||
    (options.deadlineMs !== undefined && lateMs > options.deadlineMs)
  const passed = lastMs === firstMs ? 0 : 1
  return { sendMs: isTooLate ? [] : [lastMs], missed: passed + (isTooLate ? 1 : 0), doneMs: lastMs }
}

function allDue(
  entry: PeriodicEntry,
  doneMs: number,
  nowMs: number,
  next: (afterMs: number) => number | undefined,
): Due {
  const fromMs = nowMs - entry.catchUp.windowMs
  const sendMs: number[] = []
  let missed = 0
  let atMs = next(doneMs)
  while (atMs !== undefined && atMs <= nowMs && sendMs.length < MOST_AT_ONCE) {
    if (atMs >= fromMs) sendMs.push(atMs)
    else missed += 1
    atMs = next(atMs)
  }
  return { sendMs, missed, doneMs: sendMs.at(-1) ?? nowMs }
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

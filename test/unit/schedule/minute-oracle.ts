import { IANAZone } from 'luxon'

const MINUTE_MS = 60_000
/** No zone has changed twice within so little. */
const STEP_MS = 4 * 86_400_000

/** One change of a zone's clocks. */
export interface ZoneChange {
  readonly zone: string
  /** First instant of the new offset. */
  readonly atMs: number
  /** Minutes ahead of UTC. */
  readonly before: number
  readonly after: number
}

/** Every change of a zone's clocks within these years, by looking at every fourth day. */
export function changesOf(zone: string, fromYear = 2000, untilYear = 2037): readonly ZoneChange[] {
  const iana = IANAZone.create(zone)
  const changes: ZoneChange[] = []
  let before = iana.offset(Date.UTC(fromYear, 0, 1))
  for (let ms = Date.UTC(fromYear, 0, 1); ms < Date.UTC(untilYear + 1, 0, 1); ms += STEP_MS) {
    const after = iana.offset(ms + STEP_MS)
    if (after === before) continue
    let [low, high] = [ms, ms + STEP_MS]
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (iana.offset(middle) === before) low = middle
      else high = middle
    }
    changes.push({ zone, atMs: high, before, after })
    before = after
  }
  return changes
}

/** A schedule as the oracle sees it. */
export interface OracleFields {
  readonly minutes: ReadonlySet<number>
  readonly hours: ReadonlySet<number>
}

/**
 * The instants around a change, by walking over every minute with what a clock on the wall would show.
 *
 * Every hour: each minute whose clock fits. Fixed hours: a wall time counts the first time it is shown, and where the clock
 * jumps, the first minute after the jump counts if any time that was left out fits.
 */
export function oracle(change: ZoneChange, fields: OracleFields, aroundMs: number): readonly number[] {
  const isEveryHour = fields.hours.size === 24
  const fits = (wallMs: number): boolean => {
    const wall = new Date(wallMs)
    return fields.minutes.has(wall.getUTCMinutes()) && fields.hours.has(wall.getUTCHours())
  }
  const found: number[] = []
  const fromMs = Math.ceil((change.atMs - aroundMs) / MINUTE_MS) * MINUTE_MS
  let furthestMs = Number.NEGATIVE_INFINITY
  for (let ms = fromMs; ms <= change.atMs + aroundMs; ms += MINUTE_MS) {
    const wallMs = ms + (ms < change.atMs ? change.before : change.after) * MINUTE_MS
    if (isEveryHour) {
      if (fits(wallMs)) found.push(ms)
      continue
    }
    if (wallMs <= furthestMs) continue
    let isDue = fits(wallMs)
    for (let left = furthestMs + MINUTE_MS; left < wallMs && Number.isFinite(left); left += MINUTE_MS)
      isDue ||= fits(left)
    if (isDue) found.push(ms)
    furthestMs = wallMs
  }
  return found
}

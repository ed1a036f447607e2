import type { Zone } from 'luxon'
import { leastOf } from '../util/long-list.js'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

/** Farther than any zone is from UTC, on either side. */
const EAST_MS = 15 * HOUR_MS
const WEST_MS = 13 * HOUR_MS

/** Longer than any change of a zone's offset moves the clock. */
export const REACH_MS: number = 26 * HOUR_MS

/** What the clocks of a zone are ahead of UTC, in milliseconds. */
export function offsetMs(zone: Zone, ms: number): number {
  return zone.offset(ms) * MINUTE_MS
}

/** When the offset of `fromMs` ends, if it is another one at `untilMs`: the first instant of the new one. */
export function changeBetween(zone: Zone, fromMs: number, untilMs: number): number | undefined {
  const before = zone.offset(fromMs)
  if (zone.offset(untilMs) === before) return undefined
  let [low, high] = [fromMs, untilMs]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (zone.offset(middle) === before) low = middle
    else high = middle
  }
  return high
}

/**
 * The first instant at which the clocks of a zone show this wall time; where they never do, because it falls into a gap,
 * the instant that ends the gap.
 *
 * @param wallMs - The wall time as if it were UTC, in epoch milliseconds.
 */
export function firstInstantOf(wallMs: number, zone: Zone): number {
  const [fromMs, untilMs] = [wallMs - EAST_MS, wallMs + WEST_MS]
  const candidates = [fromMs, untilMs].map((ms) => wallMs - offsetMs(zone, ms))
  const shown = candidates.filter((ms) => ms + offsetMs(zone, ms) === wallMs)
  if (shown.length > 0) return leastOf(shown)
  return changeBetween(zone, fromMs, untilMs) ?? wallMs
}

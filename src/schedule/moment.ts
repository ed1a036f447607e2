import { DateTime, FixedOffsetZone, type Zone } from 'luxon'
import { ConfigError } from '../errors/errors.js'
import { refuseUnknown, type KnownMembers } from '../util/known-members.js'

/** A moment as a caller gives it: a number is epoch milliseconds. */
export type Moment = Date | number | DateTime

/** How a schedule is read. */
export interface NextOptions {
  /**
   * IANA name such as `Europe/London`, or `local` for the zone of the machine.
   *
   * @defaultValue `UTC`
   */
  readonly timezone?: string
}

const zones = new Map<string, Zone>()

/** A moment in epoch milliseconds. @throws {@link ConfigError} for one that is none. */
export function momentMs(moment: Moment): number {
  const ms = typeof moment === 'number' ? moment : moment.valueOf()
  if (!Number.isFinite(ms)) throw new ConfigError(`expected a moment, got: ${String(moment)}`)
  return ms
}

/** The zone of this name. @throws {@link ConfigError} for an unknown one. */
export function zoneNamed(timezone = 'UTC'): Zone {
  const known = zones.get(timezone)
  if (known !== undefined) return known
  const moment = DateTime.utc().setZone(timezone)
  if (!moment.isValid)
    throw new ConfigError(
      `expected timezone to be an IANA name such as "Europe/London", got: ${JSON.stringify(timezone)}`,
    )
  const zone = timezone === 'UTC' ? FixedOffsetZone.utcInstance : moment.zone
  // The machine's own zone may change under a process.
  if (timezone !== 'local' && timezone !== 'system') zones.set(timezone, zone)
  return zone
}

/** The zone that a schedule is read in. @throws {@link ConfigError} for an unknown zone or option. */
export function zoneOf(options: NextOptions): Zone {
  refuseUnknown(options, { timezone: true } satisfies KnownMembers<NextOptions>, 'next')
  return zoneNamed(options.timezone)
}

/** Epoch milliseconds as a date and time of a zone. */
export function inZone(ms: number, zone: Zone): DateTime {
  return DateTime.fromMillis(ms, { zone })
}

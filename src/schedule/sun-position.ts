/** Where the sun stands against the stars and the clock. */
export interface SunPosition {
  /** Radians north of the equator. */
  readonly declination: number
  /** Minutes by which the sun is ahead of the mean one. */
  readonly equationOfTimeMinutes: number
}

const RADIANS = Math.PI / 180
const J2000_MS = Date.UTC(2000, 0, 1, 12)
const CENTURY_MS = 36_525 * 86_400_000

/**
 * The sun's position, good to a hundredth of a degree within a century or two.
 *
 * @source Meeus, Astronomical Algorithms, chapter 25 and 28 (low accuracy).
 */
export function sunPosition(ms: number): SunPosition {
  const t = (ms - J2000_MS) / CENTURY_MS
  const meanLongitude = (280.46646 + t * (36_000.76983 + t * 0.0003032)) * RADIANS
  const anomaly = (357.52911 + t * (35_999.05029 - t * 0.0001537)) * RADIANS
  const eccentricity = 0.016708634 - t * (0.000042037 + t * 0.0000001267)
  const center =
    (1.914602 - t * (0.004817 + t * 0.000014)) * Math.sin(anomaly) +
    (0.019993 - t * 0.000101) * Math.sin(2 * anomaly) +
    0.000289 * Math.sin(3 * anomaly)
  const node = (125.04 - 1934.136 * t) * RADIANS
  const longitude = meanLongitude + (center - 0.00569 - 0.00478 * Math.sin(node)) * RADIANS
  const obliquity = (23.4392911 - 0.0130042 * t + 0.00256 * Math.cos(node)) * RADIANS
  const y = Math.tan(obliquity / 2) ** 2
  const equation =
    y * Math.sin(2 * meanLongitude) -
    2 * eccentricity * Math.sin(anomaly) +
    4 * eccentricity * y * Math.sin(anomaly) * Math.cos(2 * meanLongitude) -
    0.5 * y * y * Math.sin(4 * meanLongitude) -
    1.25 * eccentricity * eccentricity * Math.sin(2 * anomaly)
  return {
    declination: Math.asin(Math.sin(obliquity) * Math.sin(longitude)),
    equationOfTimeMinutes: (4 * equation) / RADIANS,
  }
}

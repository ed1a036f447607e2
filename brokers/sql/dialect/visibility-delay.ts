import type { VisibilityDelay } from './dialect.js'

/** The two parameters of `? + ? * now`: a moment, a delay from now, or null for no wait. */
export function holdValues(hold: VisibilityDelay | undefined): readonly [number | null, number] {
  if (hold === undefined) return [null, 0]
  return 'atMs' in hold ? [Math.round(hold.atMs), 0] : [Math.round(hold.delayMs), 1]
}

/** `lovage/beat`: sends periodic tasks. */
export { Beat } from './beat.js'
export type { BeatOptions, BeatStatus, TickReport } from './beat-options.js'

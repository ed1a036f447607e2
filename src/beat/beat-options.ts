import type { TaskLogger } from '../task/logger.js'

/** What one look at the schedule did. */
export interface TickReport {
  /** Whether this beat is the one that sends. */
  readonly leads: boolean
  readonly sent: number
  /** Instants that were passed over, as their entries' catch-up says; of each entry no more than a thousand. */
  readonly missed: number
  readonly entries: number
}

/** How a beat runs. */
export interface BeatOptions {
  /** A pino-like logger; that of the app when left out. */
  readonly logger?: TaskLogger
  /** Called after each look: where metrics are counted. */
  readonly onTick?: (report: TickReport) => void
}

/** What a beat does now. */
export interface BeatStatus {
  readonly leads: boolean
  /** Entries that it knows of; 0 before it led. */
  readonly entries: number
  /** Milliseconds since the last look that succeeded: what an alarm watches. `undefined` before the first. */
  readonly lastTickAgeMs: number | undefined
  readonly sent: number
  /** Instants that were passed over since it started. */
  readonly missed: number
  /** The next instant of any entry, in epoch milliseconds. */
  readonly nextMs: number | undefined
}

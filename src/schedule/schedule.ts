import type { DateTime } from 'luxon'
import type { Moment, NextOptions } from './moment.js'

/**
 * When something happens, again and again or once.
 *
 * `next` is a pure function: the same moment and zone give the same answer, on every machine. An object of your own with
 * this method is a schedule too.
 */
export interface Schedule {
  /** The first instant after `after`; `undefined` when there is none any more. */
  next(after: DateTime, options?: NextOptions): Moment | undefined
  /** The last instant after `after` and up to `until`, where it can be found without visiting those between. */
  latest?(after: DateTime, until: DateTime, options?: NextOptions): Moment | undefined
  /** Its plain form, which a store can keep; a schedule without one can be declared in code alone. */
  toJSON?(): ScheduleData
}

/** A schedule as plain data; `type` says which. */
export interface ScheduleData {
  readonly type: string
  readonly [member: string]: unknown
}

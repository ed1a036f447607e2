import { randomUUID } from 'node:crypto'
import type { Entry } from './queue.js'

/** Everything one consumer has claimed, and until when. */
export class Holder {
  readonly id: string = randomUUID()
  /** Claims by tag; a tag that is not in here is lost. */
  readonly claims: Map<string, Entry> = new Map()
  /** When the claims run out, in epoch milliseconds; `Infinity` for claims that last as long as the process. */
  leaseUntilMs: number = Number.POSITIVE_INFINITY
  /** Whether a lease ran out and nothing was claimed since. */
  lost = false
}

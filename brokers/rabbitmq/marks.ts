import type { Route } from '../../src/broker/contract.js'
import { isRecord } from '../../src/util/record.js'

/** Headers that a message carries while it waits in RabbitMQ, taken off before it is handed out. */
export const MARK = {
  /** How often it was delivered before it was published again. */
  deliveries: 'lovage-deliveries',
  /** The exchange and key it was published to, where it was published again to its queue. */
  route: 'lovage-route',
  /** It has waited for its time. */
  due: 'lovage-due',
  /** Its time, in epoch milliseconds, where that is further away than the delay queues reach. */
  notBefore: 'lovage-not-before',
} as const

/** Header of a message whose own headers cannot be read: why. */
export const UNREADABLE = 'lovage-unreadable-headers'

/** Queues that hold the message of one long task each. */
export const HELD_PREFIX = 'lovage.held.'

/** What RabbitMQ itself writes into a message that a delay queue gave out. */
const TRAIL = /^x-(death|first-death-|last-death-)/

/** The marks of a message, and its headers without them. */
export interface Marks {
  readonly headers: Readonly<Record<string, unknown>>
  /** `undefined` when it was never published again. */
  readonly deliveries: number | undefined
  readonly route: Route | undefined
  readonly isDue: boolean
  readonly notBeforeMs: number | undefined
  /** The count that a quorum queue keeps of deliveries that came back. */
  readonly returned: number | undefined
}

/** Take the marks off, and the trail of a delay queue or of one that held a long task. */
export function readMarks(headers: Readonly<Record<string, unknown>>, isDelayed: boolean): Marks {
  if (!isDelayed && !isMarked(headers)) return { headers, ...UNMARKED }
  const hasTrail = isDelayed || String(headers['x-first-death-queue']).startsWith(HELD_PREFIX)
  const route = headers[MARK.route]
  const kept = Object.entries(headers).filter(([name]) => !isMark(name) && !(hasTrail && TRAIL.test(name)))
  return {
    headers: Object.fromEntries(kept),
    deliveries: numberOf(headers[MARK.deliveries]),
    route: isRecord(route)
      ? { exchange: String(route['exchange']), routingKey: String(route['routing_key']) }
      : undefined,
    isDue: isDelayed || headers[MARK.due] === true,
    notBeforeMs: numberOf(headers[MARK.notBefore]),
    returned: numberOf(headers[RETURNED]),
  }
}

const RETURNED = 'x-delivery-count'
const NAMES: ReadonlySet<string> = new Set([...Object.values(MARK), RETURNED, 'x-acquired-count'])
const UNMARKED = {
  deliveries: undefined,
  route: undefined,
  isDue: false,
  notBeforeMs: undefined,
  returned: undefined,
}

function isMark(name: string): boolean {
  return NAMES.has(name)
}

function isMarked(headers: Readonly<Record<string, unknown>>): boolean {
  for (const name of NAMES) if (headers[name] !== undefined) return true
  return false
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}

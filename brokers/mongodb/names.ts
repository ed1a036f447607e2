import type { ObjectId } from 'mongodb'

const CLAIMED = 'lovage.claimed/'
const DELAYED = 'lovage.delayed/'

/** Smallest and first too large name of {@link delayedName}. */
export const DELAYED_RANGE: { readonly from: string; readonly to: string } = {
  from: DELAYED,
  to: 'lovage.delayed0',
}

/** Smallest and first too large name of {@link claimedName}. */
export const CLAIMED_RANGE: { readonly from: string; readonly to: string } = {
  from: CLAIMED,
  to: 'lovage.claimed0',
}

/** The private queue of what one holder has claimed. */
export function claimedName(holder: string): string {
  return CLAIMED + holder
}

/** The holder whose private queue this is. */
export function holderOf(claimed: string): string {
  return claimed.slice(CLAIMED.length)
}

/** The private queue of what waits for its time before it enters `queue`. */
export function delayedName(queue: string): string {
  return DELAYED + queue
}

/** Whether it is one of the queues of {@link delayedName}. */
export function isDelayedName(queue: string): boolean {
  return queue.startsWith(DELAYED)
}

/** The tag of a delivery: its document, and the claim that holds it. */
export function tagOf(id: ObjectId, claim: string): string {
  return `${id.toHexString()}:${claim}`
}

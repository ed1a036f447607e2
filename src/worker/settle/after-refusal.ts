import type { Settlement } from '../../broker/contract.js'
import {
  compressedLetter,
  deadLetterQueueSpec,
  packedLetter,
  toDeadLetter,
  type DeadLetterNote,
} from '../../control/dead-letter.js'
import { BackendError } from '../../errors/errors.js'
import type { ClaimedDelivery } from '../run/delivery.js'
import { requeueHeaders } from '../run/suspects.js'

/** Tries of a settlement that the store refuses: as it is, as a failure, as a dead letter without a record, as a hand-back. */
const MOST_REFUSALS = 4
/** Back for a minute, and counted, so that it ends as a dead letter. */
const HAND_BACK = { delayMs: 60_000, unspent: false }

/**
 * The same settlement with its dead letter compressed, or its headers in its body, where it is the letter that is refused and
 * may be too large: it has more headers than the message had.
 */
export function withSmallerLetter(item: ClaimedDelivery, error: Error): Settlement | undefined {
  const { declares, stage, settlement } = item
  if (declares === undefined || stage !== 'new' || error instanceof BackendError) return undefined
  const letter = settlement.publish.at(-1)
  const smaller = letter === undefined ? undefined : (compressedLetter(letter) ?? packedLetter(letter))
  if (smaller === undefined) return undefined
  return { ...settlement, publish: [...settlement.publish.slice(0, -1), smaller] }
}

/** Note that the store refused a settlement for good, and whether its dead letter is published all the same. */
export function noteRefusal(item: ClaimedDelivery): void {
  item.refusals += 1
  if (item.declares !== undefined && item.stage !== 'new') item.isSetAside = true
}

/** The settlement to try instead; `undefined` when there is none. @param note - When the letter begins, and how long it is kept. */
export function afterRefusal(
  item: ClaimedDelivery,
  error: Error,
  note: Pick<DeadLetterNote, 'atMs' | 'expiresMs'>,
): Settlement | undefined {
  const { delivery, settlement } = item
  if (item.refusals >= MOST_REFUSALS) return undefined
  // Whatever it is that the store refuses, most likely it is the record.
  if (settlement.record !== undefined) {
    const detail = `its result could not be stored: ${error.message}`
    return { delivery, publish: letterOf(item, { ...note, detail }) }
  }
  if (item.acked) return undefined
  // It cannot keep what its next claim has to know.
  if (settlement.handBack?.headers !== undefined && item.refusals === 1) {
    const letters = letterOf(item, { ...note, detail: notGivenBack(error) })
    return { delivery, publish: letters.map((letter) => packedLetter(letter) ?? letter) }
  }
  return { delivery, publish: [], handBack: { ...HAND_BACK, headers: requeueHeaders(delivery) } }
}

/** Why a message that should go back to its queue is set aside, in one line for people. */
export function notGivenBack(error: Error): string {
  return `it could not be given back: ${error.message}`
}

function letterOf(item: ClaimedDelivery, note: Omit<DeadLetterNote, 'reason'>): Settlement['publish'] {
  if (item.isSetAside) return []
  if (item.declares !== undefined) return item.settlement.publish.slice(-1)
  item.declares = deadLetterQueueSpec(item.delivery.queue)
  return [toDeadLetter(item.delivery, { reason: 'refused', ...note })]
}

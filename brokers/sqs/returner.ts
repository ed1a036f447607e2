import type { HandBack } from '../../src/broker/contract.js'
import { recordOr } from '../../src/broker/kombu-envelope.js'
import { changeAll, deleteAll, sendAll } from './batches.js'
import type { Entry, Outcomes } from './batches.js'
import { toEnded } from './ended.js'
import type { Ended } from './ended.js'
import { againEntry } from './entries.js'
import type { Marks } from './envelope.js'
import type { LongClaims } from './long-claims/long-claims.js'
import type { PredefinedQueue } from './predefined.js'
import type { Received } from './received.js'

/** What a returner works with. */
export interface ReturnerParts {
  readonly isBase64: boolean
  /** The present moment at the service, in epoch milliseconds. */
  readonly now: () => number
  readonly longClaims: LongClaims
  readonly predefined: ReadonlyMap<string, PredefinedQueue>
}

/** A claim and how it goes back. */
export interface Return {
  readonly claim: Received
  readonly wish: Omit<HandBack, 'delivery'>
  /** Nobody saw it: it came before its time. */
  readonly isUnseen?: boolean
}

/** Longest that a message can be hidden from now on, in seconds, with room for the claim's age. */
const LONGEST_HIDDEN = 12 * 3_600 - 60
const UNSPENT = { delayMs: 0, unspent: true }

/** Ends claims: deletes their messages, shows them again, or sends them anew. */
export class Returner {
  readonly #parts: ReturnerParts

  constructor(parts: ReturnerParts) {
    this.#parts = parts
  }

  /** Delete the messages of claims that hold. */
  async acknowledge(claims: readonly Received[]): Promise<Ended> {
    return toEnded(claims, await this.#delete(claims))
  }

  /**
   * Give claims back. One that counts as a delivery is only shown again, and the service counts it; any other is sent
   * anew with its count, and then deleted: a crash between the two makes a double.
   */
  async handBack(returns: readonly Return[]): Promise<Ended> {
    const shown = returns.filter((one) => this.#isShown(one))
    const anew = returns.filter((one) => !shown.includes(one))
    const outcomes: Outcomes<Received> = new Map()
    const [changes, sent] = await Promise.all([this.#show(shown), this.#sendAnew(anew)])
    for (const [claim, failure] of [...changes, ...sent]) outcomes.set(claim, failure)
    return toEnded(
      returns.map(({ claim }) => claim),
      outcomes,
    )
  }

  /** Give back unspent what nobody works on, as far as that can be done. Does not reject. */
  async giveBack(claims: readonly Received[]): Promise<void> {
    if (claims.length === 0) return
    await this.handBack(claims.map((claim) => ({ claim, wish: UNSPENT })))
  }

  /** Put messages that came before their time back. One that stays claimed by a failure comes again. Does not reject. */
  park(claims: readonly Received[]): void {
    if (claims.length === 0) return
    // Never rejects: the outcomes say what failed.
    void this.handBack(
      claims.map((claim) => {
        const { at } = claim.envelope.marks
        return { claim, wish: { ...UNSPENT, ...(at !== undefined && { notBeforeMs: at }) }, isUnseen: true }
      }),
    )
  }

  #isShown({ claim, wish }: Return): boolean {
    const { envelope, ref } = claim
    if (envelope.fields === undefined) return true
    if (this.#parts.longClaims.has(claim)) return false
    // Sent again for its headers, it would lose its place, or the receipts that its queue's table goes by.
    const isPlaced = ref.isFifo || this.#parts.predefined.get(ref.name)?.backoff !== undefined
    if (wish.headers !== undefined && (wish.unspent || !isPlaced)) return false
    // On a FIFO queue a message sent anew would lose its place.
    if (ref.isFifo) return wish.notBeforeMs === undefined || envelope.marks.at === wish.notBeforeMs
    return !wish.unspent && wish.notBeforeMs === undefined && wish.delayMs < LONGEST_HIDDEN * 1000
  }

  async #show(returns: readonly Return[]): Promise<Outcomes<Received>> {
    const now = this.#parts.now()
    const items = returns.map(({ claim, wish }) => {
      const ms = wish.notBeforeMs === undefined ? wish.delayMs : wish.notBeforeMs - now
      const least = wish.unspent ? 0 : this.#backoffSeconds(claim)
      const seconds = Math.min(LONGEST_HIDDEN, Math.max(least, Math.ceil(ms / 1000)))
      return { claim, ref: claim.ref, handle: claim.handle, seconds }
    })
    const outcomes = await changeAll(items)
    this.#parts.longClaims.ended(returns.map(({ claim }) => claim))
    return new Map(items.map((item) => [item.claim, outcomes.get(item)]))
  }

  /** How long the table of its queue hides the message, where it names its task and this receipt. */
  #backoffSeconds({ ref, envelope, receiveCount }: Received): number {
    const backoff = this.#parts.predefined.get(ref.name)?.backoff
    const task = recordOr(envelope.fields?.['headers'])['task']
    if (backoff === undefined || typeof task !== 'string' || !backoff.tasks.has(task)) return 0
    return backoff.seconds.get(receiveCount) ?? 0
  }

  async #sendAnew(returns: readonly Return[]): Promise<Outcomes<Received>> {
    const { isBase64, now } = this.#parts
    const form = { isBase64, now: now() }
    const entries = new Map<Entry, Received>()
    for (const one of returns) {
      const { claim, wish } = one
      const next = { marks: nextMarks(one), headers: wish.headers }
      entries.set(againEntry(claim, next, form), claim)
    }
    const outcomes: Outcomes<Received> = new Map()
    for (const [entry, failure] of await sendAll([...entries.keys()])) {
      const claim = entries.get(entry)
      if (claim !== undefined) outcomes.set(claim, failure)
    }
    // What could not be deleted comes again beside the message sent anew: a double, and nothing to tell the caller.
    await this.#delete([...outcomes].flatMap(([claim, failure]) => (failure === undefined ? [claim] : [])))
    return outcomes
  }

  async #delete(claims: readonly Received[]): Promise<Outcomes<Received>> {
    const outcomes: Outcomes<Received> = new Map()
    const items = claims.flatMap((claim) => this.#parts.longClaims.place(claim))
    for (const [{ claim }, failure] of await deleteAll(items)) outcomes.set(claim, failure)
    this.#parts.longClaims.ended(claims)
    return outcomes
  }
}

function nextMarks({ claim, wish, isUnseen }: Return): Marks {
  const { marks } = claim.envelope
  const { delayMs, notBeforeMs: at } = wish
  return {
    spent: marks.spent + claim.receiveCount - (wish.unspent ? 1 : 0),
    handouts: marks.handouts + (isUnseen === true ? 0 : 1),
    due: marks.due || at !== undefined,
    at,
    delayMs: at === undefined && delayMs > 0 ? delayMs : undefined,
  }
}

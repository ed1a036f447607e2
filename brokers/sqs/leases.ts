import type { LeaseRenewal, Leases } from '../../src/broker/contract.js'
import { changeAll } from './batches.js'
import type { Visibility } from './batches.js'
import type { Directory } from './directory.js'
import { asBroker } from '../../src/broker/store-failure.js'
import type { SqsFailure } from './failure.js'
import type { LeaseDeadlines } from './lease-deadlines.js'
import { monotonicMs } from '../../src/util/monotonic.js'
import { longClaimMarginMs } from './long-claims/long-claims.js'
import type { SqsSettings } from './settings.js'
import { readTag } from './tag.js'
import type { Claim } from './tag.js'
import { append } from '../../src/util/long-list.js'

/** What renewing works with. */
export interface LeasesParts {
  readonly directory: Directory
  readonly book: LeaseDeadlines
  readonly settings: SqsSettings
}

/** Renews claims by their tags, ten in a request. */
export class SqsLeases implements Leases {
  readonly renews = 'tags'
  readonly #parts: LeasesParts

  constructor(parts: LeasesParts) {
    this.#parts = parts
  }

  renew(_holder: string, tags: readonly string[], leaseMs: number): Promise<LeaseRenewal> {
    return asBroker(() => this.#renew(tags, leaseMs))
  }

  async #renew(tags: readonly string[], leaseMs: number): Promise<LeaseRenewal> {
    const { book } = this.#parts
    const nowMs = monotonicMs()
    const lostTags: string[] = []
    const items = new Map<Visibility, string>()
    for (const tag of tags) {
      const claim = readTag(tag)
      const until = book.until(tag) ?? claim?.untilMs ?? 0
      if (claim === undefined || until <= nowMs) lostTags.push(tag)
      // Past the ceiling the message is elsewhere, and its consumer renews it.
      else if (claim.ceilingMs > nowMs + 1_000) items.set(await this.#visibility(claim, nowMs, leaseMs), tag)
    }
    const { renewed, refused, failure } = await changed(items)
    book.renewed(renewed, nowMs + leaseMs)
    book.prune()
    if (failure !== undefined) throw failure
    append(
      lostTags,
      refused.filter((tag) => !this.#mayHaveMoved(tag, nowMs)),
    )
    return { held: tags.length === 0 || lostTags.length < tags.length, lostTags }
  }

  /** Whether a message may be in a queue of its own by now: the book then says how long its claim holds. */
  #mayHaveMoved(tag: string, nowMs: number): boolean {
    const claim = readTag(tag)
    return claim !== undefined && claim.ceilingMs < nowMs + longClaimMarginMs(this.#parts.settings)
  }

  async #visibility(
    { queue, url, handle, ceilingMs }: Claim,
    nowMs: number,
    leaseMs: number,
  ): Promise<Visibility> {
    const ref = await this.#parts.directory.at(queue, url)
    const longest = Math.floor((ceilingMs - nowMs) / 1000)
    return { ref, handle, seconds: Math.max(1, Math.min(longest, Math.ceil(leaseMs / 1000))) }
  }
}

interface Changed {
  readonly renewed: readonly string[]
  /** Their messages are not where they were. */
  readonly refused: readonly string[]
  /** The service could not be asked for some, which are neither. */
  readonly failure: SqsFailure | undefined
}

/** Change claims, and tell by their tags which were. Never rejects. */
async function changed(items: ReadonlyMap<Visibility, string>): Promise<Changed> {
  const renewed: string[] = []
  const refused: string[] = []
  let unavailable: SqsFailure | undefined
  for (const [item, failure] of await changeAll([...items.keys()])) {
    const tag = items.get(item) ?? ''
    if (failure === undefined) renewed.push(tag)
    else if (failure.kind === 'unavailable') unavailable ??= failure
    else refused.push(tag)
  }
  return { renewed, refused, failure: unavailable }
}

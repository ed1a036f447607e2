import { randomUUID } from 'node:crypto'
import { toError } from '../../../src/util/to-error.js'
import { changeAll, deleteAll, sendAll } from '../batches.js'
import type { Deletion } from '../batches.js'
import type { Directory } from '../directory.js'
import { againEntry } from '../entries.js'
import type { LeaseDeadlines } from '../lease-deadlines.js'
import { monotonicMs } from '../../../src/util/monotonic.js'
import { KEPT_PREFIX } from '../queue-name.js'
import type { QueueRef } from '../queue-ref.js'
import { receive } from '../received.js'
import type { Received } from '../received.js'
import type { SqsSettings } from '../settings.js'

/** What it works with. */
export interface LongClaimsParts {
  readonly directory: Directory
  readonly book: LeaseDeadlines
  readonly settings: SqsSettings
}

/** Where the message of a long claim is now. */
interface Kept {
  /** Undefined where the message was deleted, because no queue may be made. */
  readonly copy: Received | undefined
}

const LOOK_EVERY_MS = 60_000
const LONGEST_MARGIN_MS = 900_000

/** How long before the end of its longest claim a message moves, in milliseconds. */
export function longClaimMarginMs({ ceilingMs }: Pick<SqsSettings, 'ceilingMs'>): number {
  return Math.min(LONGEST_MARGIN_MS, ceilingMs / 2)
}

/**
 * Claims older than the service allows: twelve hours after its receipt it shows a message again, whatever is asked.
 *
 * Some time before that the message moves, as a copy, to a queue of its own that nobody else reads, is received there,
 * and can be hidden for twelve hours more. Should the worker die, its copy is shown there, and any worker brings it home
 * (see `Lost`). Where no queue can be made, the message is deleted: the task then runs on like one that is acknowledged
 * early.
 */
export class LongClaims {
  readonly #parts: LongClaimsParts
  readonly #claims = new Set<ReadonlyMap<string, Received>>()
  readonly #kept = new Map<string, Kept>()
  /** Queues to which a copy was sent that did not come yet, by the tag of its claim. */
  readonly #sent = new Map<string, QueueRef>()
  /** The claim whose message moves, unless it ended meanwhile. */
  #moving: string | undefined
  #timer: NodeJS.Timeout | undefined
  #isLooking = false

  constructor(parts: LongClaimsParts) {
    this.#parts = parts
  }

  /** Look after the claims of a consumer. */
  watch(claims: ReadonlyMap<string, Received>): void {
    this.#claims.add(claims)
    const everyMs = Math.min(LOOK_EVERY_MS, this.#marginMs / 3)
    this.#timer ??= setInterval(() => void this.#look(), everyMs).unref()
  }

  leave(claims: ReadonlyMap<string, Received>): void {
    this.#claims.delete(claims)
    if (this.#claims.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Whether the message of a claim is not in its queue any more. */
  has(claim: Received): boolean {
    return this.#kept.has(claim.tag)
  }

  /** What has to be deleted to end a claim. */
  place(claim: Received): readonly (Deletion & { readonly claim: Received })[] {
    const kept = this.#kept.get(claim.tag)
    if (kept === undefined) return [{ claim, ref: claim.ref, handle: claim.handle }]
    const { copy } = kept
    return copy === undefined ? [] : [{ claim, ref: copy.ref, handle: copy.handle }]
  }

  /** Claims that are over: their own queues go. */
  ended(claims: readonly Received[]): void {
    for (const { tag } of claims) {
      this.#drop(this.#kept.get(tag)?.copy?.ref)
      this.#kept.delete(tag)
      // A move that is under way sees that its claim ended.
      if (this.#moving === tag) this.#moving = undefined
      else this.#dropSent(tag)
    }
  }

  #isMoving({ tag }: Received): boolean {
    return this.#moving === tag
  }

  #dropSent(tag: string): void {
    this.#drop(this.#sent.get(tag))
    this.#sent.delete(tag)
  }

  /** An empty queue that stays is found by the next look for lost copies. */
  #drop(ref: QueueRef | undefined): void {
    if (ref !== undefined) this.#parts.directory.delete(ref.name).catch(() => undefined)
  }

  get #marginMs(): number {
    return longClaimMarginMs(this.#parts.settings)
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    if (this.#isLooking) return
    this.#isLooking = true
    for (const claims of this.#claims) for (const claim of claims.values()) await this.#attend(claim)
    this.#isLooking = false
  }

  /** Move the message of a claim before the service shows it again, and renew what was moved. Never rejects. */
  async #attend(claim: Received): Promise<void> {
    const kept = this.#kept.get(claim.tag)
    const from = kept === undefined ? claim : kept.copy
    try {
      if (from !== undefined && from.ceilingMs < monotonicMs() + this.#marginMs) await this.#move(claim, from)
      else if (kept !== undefined) await this.#renew(claim, kept)
    } catch (error) {
      warn(`the message of a long task could not be kept: ${toError(error).message}`)
    }
  }

  /** Copy, claim the copy, delete the original: at each moment one of them is claimed. */
  async #move(claim: Received, from: Received): Promise<void> {
    if ((this.#parts.book.until(claim.tag) ?? 0) < monotonicMs()) return
    this.#moving = claim.tag
    let copy: Received | undefined
    try {
      copy = await this.#copied(claim)
    } catch (error) {
      if (this.#isMoving(claim)) throw error
    }
    if (!this.#isMoving(claim)) {
      this.#dropSent(claim.tag)
      return
    }
    this.#sent.delete(claim.tag)
    this.#kept.set(claim.tag, { copy })
    await deleteAll([{ ref: from.ref, handle: from.handle }])
    if (from !== claim) this.#drop(from.ref)
    this.#hold(claim)
  }

  /** The claimed copy; undefined where no queue can be made for it. */
  async #copied(claim: Received): Promise<Received | undefined> {
    const { settings } = this.#parts
    const ref = this.#sent.get(claim.tag) ?? (await this.#send(claim))
    if (ref === undefined) return undefined
    // A copy that does not come at once is not sent again: the next look asks for it.
    this.#sent.set(claim.tag, ref)
    const [copy] = await receive(ref, {
      most: 1,
      waitSeconds: 5,
      leaseMs: this.#marginMs,
      ceilingMs: settings.ceilingMs,
      attributeNames: settings.attributeNames,
      signal: new AbortController().signal,
    })
    if (copy === undefined) throw toError(`nothing came from ${ref.name}`)
    return copy
  }

  /** Send a copy to a queue of its own; undefined where none can be made. */
  async #send(claim: Received): Promise<QueueRef | undefined> {
    const { directory, settings } = this.#parts
    const { envelope, receiveCount } = claim
    let ref: QueueRef
    try {
      ref = await directory.declare(KEPT_PREFIX + randomUUID())
    } catch (error) {
      warn(
        `no queue can be made to keep the message of a task that runs longer than the service hides messages: ` +
          `${toError(error).message}; it counts as acknowledged`,
      )
      return undefined
    }
    const { marks } = envelope
    const next = { ...marks, spent: marks.spent + receiveCount - 1, home: claim.ref.name }
    const form = { isBase64: settings.isBase64, now: 0 }
    const entry = againEntry({ ...claim, ref }, { marks: { ...next, at: undefined } }, form)
    for (const failure of (await sendAll([entry])).values()) {
      if (failure === undefined) continue
      this.#drop(ref)
      throw failure
    }
    return ref
  }

  async #renew(claim: Received, { copy }: Kept): Promise<void> {
    if (copy === undefined) {
      this.#hold(claim)
      return
    }
    const seconds = Math.max(1, Math.ceil(this.#marginMs / 1000))
    const outcomes = await changeAll([{ ref: copy.ref, handle: copy.handle, seconds }])
    for (const failure of outcomes.values()) if (failure !== undefined) throw failure
    this.#hold(claim)
  }

  #hold({ tag }: Received): void {
    this.#parts.book.renewed([tag], monotonicMs() + this.#marginMs)
  }
}

function warn(message: string): void {
  process.emitWarning(message, { type: 'LovageWarning', code: 'LOVAGE_SQS_OVERTIME' })
}

import { randomUUID } from 'node:crypto'
import { readEntry } from './claim-entry.js'
import { giveBackEnvelope, priorityOf, readEnvelope } from './envelope.js'
import { RedisFailure } from './failure.js'
import type { Keys } from './keys.js'
import type { RedisConnection } from './connection.js'
import { CLAIMS_OF, OVERDUE, RESTORE, UNLOCK } from './lua/lease.js'
import { TAG_PREFIX } from './claimer.js'
import { textsOf } from './reply.js'
import { toScript } from './script.js'
import { Topology } from './topology.js'

const claimsScript = toScript(CLAIMS_OF)
const restoreScript = toScript(RESTORE)
const overdueScript = toScript(OVERDUE)
const unlockScript = toScript(UNLOCK)
/** As long as kombu holds the lock at most, in milliseconds. */
const LOCK_MS = 300_000

/** Puts back what others have claimed and will not settle any more. */
export class Restorer {
  readonly #connection: RedisConnection
  readonly #keys: Keys
  readonly #topology: Topology
  /** Holders whose claims could not be put back: they are not tried again from here. */
  readonly #refused = new Set<string>()

  constructor(connection: RedisConnection, keys: Keys) {
    this.#connection = connection
    this.#keys = keys
    this.#topology = new Topology(connection, keys)
  }

  /**
   * Put back, as spent, what holders have claimed whose lease is over; nothing of one that was renewed meanwhile. A holder
   * whose claims the server refuses to give does not keep the others.
   */
  async restoreExpired(holders: readonly string[]): Promise<void> {
    for (const holder of holders) {
      try {
        await this.#restoreAll(holder, { isExpired: true })
      } catch (error) {
        if (!(error instanceof RedisFailure && error.kind === 'refused')) throw error
        this.#refused.add(holder)
        process.emitWarning(`claims of ${holder} cannot be put back: ${error.message}`, {
          type: 'LovageWarning',
          code: 'LOVAGE_CLAIMS_LEFT',
        })
      }
    }
  }

  /** Holders of these that were not refused before. */
  restorable(holders: readonly string[]): readonly string[] {
    return this.#refused.size === 0 ? holders : holders.filter((holder) => !this.#refused.has(holder))
  }

  /** Put back, unspent, these claims of a holder: tags and entries in turn. @returns How many messages that were. */
  giveBack(holder: string, found: readonly string[]): Promise<number> {
    return this.#restore(holder, found, { isExpired: false, unspent: true })
  }

  /** Put back, unspent, everything that a holder has claimed, and forget the holder. */
  async release(holder: string): Promise<void> {
    await this.#restoreAll(holder, { isExpired: false })
    await this.#connection.call('ZREM', this.#keys.holders, holder)
    // Other workers show theirs again within seconds; until then publishers send Celery's way.
    await this.#connection.call('DEL', this.#keys.alive)
  }

  /**
   * Put back what workers of Celery have held for longer than the visibility timeout, as they do among themselves, and
   * under their lock.
   *
   * @returns How many messages that were.
   * @source kombu 5.7, `kombu/transport/redis.py`, `QoS.restore_visible`.
   */
  async restoreOverdue(visibilityTimeoutMs: number): Promise<number> {
    const { unacked, unackedIndex, unackedMutex } = this.#keys
    const token = randomUUID()
    if ((await this.#connection.call('SET', unackedMutex, token, 'PX', LOCK_MS, 'NX')) === null) return 0
    try {
      const args = [Math.floor(visibilityTimeoutMs / 1000), TAG_PREFIX]
      const found = textsOf(await this.#connection.run(overdueScript, [unacked, unackedIndex], args))
      return await this.#restore('', found, { isExpired: false, unspent: false })
    } finally {
      await this.#connection.run(unlockScript, [unackedMutex], [token])
    }
  }

  async #restoreAll(holder: string, { isExpired }: { readonly isExpired: boolean }): Promise<void> {
    const flag = isExpired ? '1' : '0'
    for (;;) {
      const found = textsOf(await this.#connection.run(claimsScript, this.#keysOf(holder), [holder, flag]))
      if (found.length === 0) return
      if ((await this.#restore(holder, found, { isExpired, unspent: !isExpired })) > 0) continue
      if (isExpired) this.#refused.add(holder)
      return
    }
  }

  async #restore(
    holder: string,
    found: readonly string[],
    how: { readonly isExpired: boolean; readonly unspent: boolean },
  ): Promise<number> {
    if (found.length === 0) return 0
    const args: (string | number)[] = [holder, how.isExpired ? '1' : '0', this.#keys.delayedPrefix]
    for (const { tag, entry } of inOrder(found)) {
      const claim = readEntry(entry)
      const [queue, ...others] = claim === undefined ? [] : (await this.#topology.reached(claim)).queues
      // Where a route of Celery's leads to several queues, or to none, Celery decides.
      if (claim === undefined || queue === undefined || others.length > 0) continue
      const envelope = readEnvelope(claim.envelope)
      const step = this.#keys.step(priorityOf(envelope))
      const text = giveBackEnvelope(envelope, { unspent: how.unspent })
      args.push(tag, this.#keys.list(queue, step), queue, step, text)
    }
    return Number(await this.#connection.run(restoreScript, this.#keysOf(holder), args))
  }

  #keysOf(holder: string): readonly string[] {
    const { unacked, unackedIndex, holders, moves, due } = this.#keys
    return [unacked, unackedIndex, this.#keys.claims(holder), holders, moves, this.#keys.moved(holder), due]
  }
}

/** Claims in the reverse of their order, so that the first is in front again when all are back. */
function inOrder(found: readonly string[]): readonly { readonly tag: string; readonly entry: string }[] {
  const pairs = []
  for (let at = 0; at + 1 < found.length; at += 2) {
    const tag = found[at] ?? ''
    pairs.push({ tag, entry: found[at + 1] ?? '', number: Number(tag.slice(tag.lastIndexOf('.') + 1)) })
  }
  return pairs.sort((one, other) => other.number - one.number || 0)
}

import { unroutable } from '../../src/broker/routing.js'
import type { Delivery, HandBack, Outgoing, Settlement } from '../../src/broker/contract.js'
import { LeaseLostError } from '../../src/errors/errors.js'
import type { ClaimKey, GiveBack, SqlDialect } from './dialect/dialect.js'
import { claimKey, encodeMeta } from './envelope.js'
import { holdOf, insertOutgoing } from './publish.js'
import type { KeptRecord, ResultWriter } from './result-writer.js'
import type { SqlSession } from './sql-session.js'
import type { SqlStore } from './store.js'
import { append } from '../../src/util/long-list.js'

/** Whose claims are settled. */
export interface ClaimOwner {
  readonly store: SqlStore
  readonly holder: number
  /** The result backend, if it is on the same database. */
  readonly writer: ResultWriter | undefined
}

/** Give back, unspent, the claims of a holder that have none of these tags; the number of them. */
export async function giveBackOthers(
  owner: { readonly session: SqlSession; readonly dialect: SqlDialect; readonly holder: number },
  tags: readonly string[],
): Promise<number> {
  const { session, dialect, holder } = owner
  const rows = await session.rows((knex, names) =>
    knex(names.message).select('id', 'claim').where({ holder }).orderBy('id'),
  )
  const known = new Set(tags)
  const others = rows
    .map(({ id, claim }) => ({ id: Number(id), claim: Number(claim) }))
    .filter((key) => !known.has(keyText(key)))
  for (const key of others) await dialect.queue.giveBack(session, holder, { ...key, unspent: true })
  return others.length
}

/**
 * Apply settlements in one transaction: acknowledgement or hand-back, follow-up messages, results.
 *
 * Resolves with the deliveries whose claim was lost; nothing of those is applied.
 */
export async function applySettlements(
  owner: ClaimOwner,
  settlements: readonly Settlement[],
): Promise<readonly Delivery[]> {
  const { database } = owner.store
  const lost = await settledAtOnce(owner, settlements)
  if (lost !== undefined) return lost
  try {
    // As good as always every claim holds; then counting the deleted rows is enough, and naming them costs more.
    return await database.transaction(async (session) => {
      const done = settlements.filter(({ handBack }) => handBack === undefined)
      const outcome = await owner.store.dialect.queue.remove(session, owner.holder, keysOf(done))
      if (outcome === 'some-lost') throw new LeaseLostError('a claim was lost')
      return applyHeld(owner, session, settlements, new Set())
    })
  } catch (error) {
    if (!(error instanceof LeaseLostError)) throw error
  }
  return database.transaction(async (session) => {
    const done = settlements.filter(({ handBack }) => handBack === undefined)
    const lost = await owner.store.dialect.queue.removeHeld(session, owner.holder, keysOf(done))
    return applyHeld(owner, session, settlements, new Set(lost.map(keyText)))
  })
}

/**
 * Settle in one statement that is a transaction by itself: half of the time of a batch is the way to the server and back.
 * `undefined` when nothing was done, since there is more to it than deleting messages and storing their results.
 */
async function settledAtOnce(
  { store, holder, writer }: ClaimOwner,
  settlements: readonly Settlement[],
): Promise<readonly Delivery[] | undefined> {
  const { atOnce } = store.dialect
  const isPlain = settlements.every(({ handBack, publish }) => handBack === undefined && publish.length === 0)
  const stored = settlements.filter(({ record }) => record !== undefined)
  const isTwice = new Set(stored.map(({ record }) => record?.taskId)).size < stored.length
  if (atOnce === undefined || !isPlain || isTwice || (stored.length > 0 && writer === undefined))
    return undefined
  const rows = writer?.rowsOf(stored.flatMap(recordOf)) ?? []
  const results = stored.flatMap(({ delivery }, index) => {
    const kept = rows[index]
    return kept === undefined ? [] : [{ claim: claimKey(delivery), kept }]
  })
  const settled = await store.database.atOnce?.(async (session, channel) =>
    channel === undefined
      ? undefined
      : atOnce.settle(session, { holder, claims: keysOf(settlements), results, channel }),
  )
  if (settled === undefined) return undefined
  if (rows.length > 0) writer?.stored()
  const gone = new Set(settled.lost.map(keyText))
  return settlements.map(({ delivery }) => delivery).filter(({ tag }) => gone.has(tag))
}

function recordOf({ record, recordTtlMs = 0 }: Settlement): readonly KeptRecord[] {
  return record === undefined ? [] : [{ record, ttlMs: recordTtlMs }]
}

/** Everything but the acknowledgement, for the settlements whose claim is not in `lost`. */
async function applyHeld(
  owner: ClaimOwner,
  session: SqlSession,
  settlements: readonly Settlement[],
  lost: ReadonlySet<string>,
): Promise<readonly Delivery[]> {
  const gone: Delivery[] = []
  const publish: Outgoing[] = []
  const records: KeptRecord[] = []
  for (const settlement of settlements) {
    const { delivery, handBack } = settlement
    const held = !lost.has(delivery.tag)
    if (!held || (handBack !== undefined && !(await givenBack(owner, session, delivery, handBack)))) {
      gone.push(delivery)
      continue
    }
    append(publish, settlement.publish)
    if (settlement.record !== undefined)
      records.push({ record: settlement.record, ttlMs: settlement.recordTtlMs ?? 0 })
  }
  if (publish.length > 0) await publishWithin(owner, session, publish)
  if (records.length > 0) await owner.writer?.writeWithin(session, owner.store.dialect, records)
  return gone
}

async function givenBack(
  owner: ClaimOwner,
  session: SqlSession,
  delivery: Delivery,
  wish: Omit<HandBack, 'delivery'>,
): Promise<boolean> {
  return owner.store.dialect.queue.giveBack(session, owner.holder, giveBackOf(delivery, wish))
}

async function publishWithin(
  owner: ClaimOwner,
  session: SqlSession,
  batch: readonly Outgoing[],
): Promise<void> {
  const lost = await insertOutgoing(session, owner.store, batch)
  if (lost.length > 0) throw unroutable(batch, lost)
}

function giveBackOf(delivery: Delivery, wish: Omit<HandBack, 'delivery'>): GiveBack {
  const { message, queue, route } = delivery
  const hold = holdOf(wish)
  const { headers } = wish
  return {
    ...claimKey(delivery),
    unspent: wish.unspent,
    ...(hold !== undefined && { hold }),
    ...(headers !== undefined && {
      meta: encodeMeta({ ...message, headers: { ...message.headers, ...headers } }, route, queue),
    }),
  }
}

function keysOf(settlements: readonly Settlement[]): readonly ClaimKey[] {
  return settlements.map(({ delivery }) => claimKey(delivery))
}

function keyText(key: ClaimKey): string {
  return `${key.id}:${key.claim}`
}

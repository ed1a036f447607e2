import { append } from '../../../src/util/long-list.js'
import { parsedJson } from '../../../src/util/parsed-json.js'
import type { SqlRow, SqlSession } from '../sql-session.js'
import type {
  ClaimedRow,
  ClaimKey,
  ClaimRequest,
  GiveBack,
  NewMessage,
  QueueDialect,
  QueuePosition,
  QueueStatus,
  RemoveOutcome,
  VisibilityDelay,
} from './dialect.js'
import { onFound } from './fragments.js'
import type { FoundChange, Fragments } from './fragments.js'

/** What of the queue's statements is not the same everywhere. */
export interface QueueFragments extends Fragments {
  /** The condition of a row that can be claimed, as its index has it. */
  readonly ready: string
  /** What is set in a row that can be claimed again. @param isReady - Whether it can be at once, as a value or `$name`. */
  readonly freed: (isReady: string) => string
  /** The condition of a row that is held by `$holder`. */
  readonly held: string
  readonly greatest: 'max' | 'greatest'
  /** Whether one of `$queues` has a row that can be claimed, as an expression; where absent, each queue is looked at. */
  readonly anyReady?: string
  readonly promote: FoundChange
  readonly claim: ClaimStatements
  /** Whether a DELETE can tell what it deleted. */
  readonly returnsDeleted: boolean
  insert(session: SqlSession, messages: readonly NewMessage[]): Promise<void>
}

/** A claim of `$max` rows of `$queue`. */
export interface ClaimStatements {
  /** Marks the rows, where that does not read them; done first. */
  readonly mark?: string
  /** Reads `id, priority, deliveries, unspent, due, meta, body`. */
  readonly read: string
  /** Marks the rows `$ids` that were read, where reading locks them. */
  readonly markRead?: string
}

/** Most rows that are made ready at once. */
export const PROMOTE_AT_ONCE = 1000

interface QueueStatements {
  readonly look: string
  readonly isReady: string
  readonly countReady: string
  readonly remove: string
  readonly readHeld: string
  readonly giveBack: string
}

function statementsOf({
  now,
  ready,
  freed,
  held,
  greatest,
  integer,
  among,
  anyReady,
}: QueueFragments): QueueStatements {
  const mine = `${among('id')} AND ${held} AND claim = $claim`
  return {
    look: `SELECT ${now},
      (SELECT min(due_ms) FROM {message} WHERE due_ms IS NOT NULL),
      (SELECT min(lease_until_ms) FROM {holder} WHERE id <> $holder),
      EXISTS (SELECT 1 FROM {holder} WHERE id = $holder)${anyReady === undefined ? '' : `, ${anyReady}`}`,
    isReady: `SELECT 1 FROM {message} WHERE queue = $queue AND ${ready} LIMIT 1`,
    countReady: `SELECT count(*) FROM {message} WHERE queue = $queue AND ${ready}`,
    remove: `DELETE FROM {message} WHERE ${mine}`,
    readHeld: `SELECT id FROM {message} WHERE ${mine}`,
    giveBack: `UPDATE {message} SET ${freed('$ready')}, due_ms = ${integer('base')} + ${integer('times')} * ${now},
      due = ${greatest}(due, $due), unspent = unspent + $unspent, meta = coalesce($meta, meta)
      WHERE id = $id AND ${held} AND claim = $claim`,
  }
}

/** The queue of one database: the same steps everywhere, by its own statements. */
export class TableQueue implements QueueDialect {
  readonly #fragments: QueueFragments
  readonly #statements: QueueStatements

  constructor(fragments: QueueFragments) {
    this.#fragments = fragments
    this.#statements = statementsOf(fragments)
  }

  async insert(session: SqlSession, messages: readonly NewMessage[]): Promise<void> {
    await this.#fragments.insert(session, messages)
  }

  async look(
    session: SqlSession,
    queues: readonly string[],
    holder: number,
    after?: ReadonlyMap<string, QueuePosition>,
  ): Promise<QueueStatus> {
    const places = queues.map((queue) => placeValues(after?.get(queue)))
    const values = { queues, holder, ranks: places.map(([rank]) => rank), ids: places.map(([, id]) => id) }
    const [row = []] = await session.all(this.#statements.look, values)
    const [nowMs, dueMs, leaseEndMs, isHeld, hasReady] = row
    return {
      nowMs: Number(nowMs),
      ready: hasReady === undefined ? await this.#isAnyReady(session, queues) : hasReady === 1,
      nextDueMs: typeof dueMs === 'number' ? dueMs : undefined,
      nextLeaseEndMs: typeof leaseEndMs === 'number' ? leaseEndMs : undefined,
      held: isHeld === 1,
    }
  }

  async #isAnyReady(session: SqlSession, queues: readonly string[]): Promise<boolean> {
    for (const queue of queues) {
      if ((await session.all(this.#statements.isReady, { queue })).length > 0) return true
    }
    return false
  }

  async countReady(session: SqlSession, queue: string): Promise<number> {
    const [row] = await session.all(this.#statements.countReady, { queue })
    return Number(row?.[0])
  }

  async promote(session: SqlSession): Promise<number> {
    const promoted = await onFound(session, this.#fragments.promote, {})
    if (promoted > 0) session.announce()
    return promoted
  }

  async claim(session: SqlSession, request: ClaimRequest): Promise<readonly ClaimedRow[]> {
    const { queue, max, holder, claim, after } = request
    const { mark, read, markRead } = this.#fragments.claim
    const [rank, id] = placeValues(after)
    const values = { queue, max, holder, claim, rank, id }
    if (mark !== undefined && (await session.run(mark, values)) === 0) return []
    const rows = (await session.all(read, values)).map((row) => claimedRow(row, claim))
    if (markRead !== undefined && rows.length > 0) {
      await session.run(markRead, { ...values, ids: rows.map((row) => row.id) })
    }
    return byPriority(rows)
  }

  /** One delete for each claim number in the batch; only the count is looked at. */
  async remove(session: SqlSession, holder: number, claims: readonly ClaimKey[]): Promise<RemoveOutcome> {
    let removed = 0
    for (const [claim, ids] of byClaim(claims)) {
      removed += await session.run(this.#statements.remove, { holder, claim, ids })
    }
    return removed === claims.length ? 'all' : 'some-lost'
  }

  async removeHeld(
    session: SqlSession,
    holder: number,
    claims: readonly ClaimKey[],
  ): Promise<readonly ClaimKey[]> {
    const { remove, readHeld } = this.#statements
    return without(claims, async (claim, ids) => {
      const values = { holder, claim, ids }
      if (this.#fragments.returnsDeleted) return session.all(`${remove} RETURNING id`, values)
      const found = await session.all(`${readHeld} FOR UPDATE`, values)
      await session.run(remove, values)
      return found
    })
  }

  async lost(session: SqlSession, holder: number, claims: readonly ClaimKey[]): Promise<readonly ClaimKey[]> {
    return without(claims, (claim, ids) => session.all(this.#statements.readHeld, { holder, claim, ids }))
  }

  /** The row keeps its place in the order of ids. */
  async giveBack(session: SqlSession, holder: number, item: GiveBack): Promise<boolean> {
    const { hold, unspent, id, claim } = item
    const [base, times] = holdValues(hold)
    const due = hold !== undefined && 'atMs' in hold ? 1 : 0
    const ready = hold === undefined ? 1 : null
    session.announce()
    const values = {
      ready,
      base,
      times,
      due,
      unspent: unspent ? 1 : 0,
      meta: item.meta ?? null,
      id,
      holder,
      claim,
    }
    return (await session.run(this.#statements.giveBack, values)) === 1
  }

  async drop(session: SqlSession, queue: string, which: 'waiting' | 'all'): Promise<number> {
    return session.change((knex, names) => {
      const ofQueue = knex(names.message).where({ queue })
      return (which === 'waiting' ? ofQueue.whereNull('holder') : ofQueue).delete()
    })
  }
}

const FIRST = [-(2 ** 31), 0] as const

/** Rank and id of a place; those of one before all others when there is none. */
export function placeValues(place: QueuePosition | undefined): readonly [rank: number, id: number] {
  return place === undefined ? FIRST : [-place.priority, place.id]
}

/** The two parameters of `base + times * now`: a moment, a delay from now, or null for no wait. */
export function holdValues(hold: VisibilityDelay | undefined): readonly [number | null, number] {
  if (hold === undefined) return [null, 0]
  return 'atMs' in hold ? [Math.round(hold.atMs), 0] : [Math.round(hold.delayMs), 1]
}

/** A row of `id, priority, deliveries, unspent, due, meta, body`. */
export function claimedRow(row: SqlRow, claimNumber: number): ClaimedRow {
  const [id, priority, handouts, unspent, due, meta, body] = row
  return {
    id: Number(id),
    claim: claimNumber,
    priority: Number(priority),
    handouts: Number(handouts),
    unspent: Number(unspent),
    due: due === 1,
    meta: parsedJson(meta),
    body: body instanceof Uint8Array ? body : new Uint8Array(),
  }
}

/** Highest priority first, oldest first. */
export function byPriority(rows: readonly ClaimedRow[]): readonly ClaimedRow[] {
  return rows.toSorted((one, other) => other.priority - one.priority || one.id - other.id)
}

/** The claims that `find` does not find; it is asked once for each claim number, with the ids. */
async function without(
  claims: readonly ClaimKey[],
  find: (claim: number, ids: readonly number[]) => Promise<readonly SqlRow[]>,
): Promise<readonly ClaimKey[]> {
  const missing: ClaimKey[] = []
  for (const [number, ids] of byClaim(claims)) {
    const found = new Set((await find(number, ids)).map(([id]) => id))
    append(
      missing,
      ids.filter((id) => !found.delete(id)).map((id) => ({ id, claim: number })),
    )
  }
  return missing
}

/** The ids of claims by claim number: nearly always one number. */
function byClaim(claims: readonly ClaimKey[]): ReadonlyMap<number, number[]> {
  const groups = new Map<number, number[]>()
  for (const { id, claim: number } of claims) {
    const ids = groups.get(number)
    if (ids === undefined) groups.set(number, [id])
    else ids.push(id)
  }
  return groups
}

import { parsedJson } from '../../../src/util/parsed-json.js'
import type { SqlRow } from '../sql-session.js'
import type { ClaimedRow, ClaimKey } from './dialect.js'
import { append } from '../../../src/util/long-list.js'

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
export async function without(
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
export function byClaim(claims: readonly ClaimKey[]): ReadonlyMap<number, number[]> {
  const groups = new Map<number, number[]>()
  for (const { id, claim: number } of claims) {
    const ids = groups.get(number)
    if (ids === undefined) groups.set(number, [id])
    else ids.push(id)
  }
  return groups
}

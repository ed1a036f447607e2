import type { SqlSession } from '../sql-session.js'
import type { HolderDialect } from './dialect.js'
import type { QueueFragments } from './queue.js'
import { idsOf } from './fragments.js'

/** What of the holders' statements is not the same everywhere. */
export interface HolderFragments extends Pick<QueueFragments, 'now' | 'integer' | 'among' | 'freed'> {
  /** Locks a holder's row, so that no other process frees its claims while it makes new ones. */
  readonly lockHolder: string
  /** Leaves out rows that others have locked. */
  readonly skipLocked: string
  /** The id that the last insert of a connection made, where an INSERT cannot return it. */
  readonly lastId?: string
}

/** Holders of claims: the same steps everywhere. */
export function holderDialect(fragments: HolderFragments): HolderDialect {
  const { now, integer, among, freed, lastId } = fragments
  const untilMs = `${integer('leaseMs')} + ${now}`
  const open = `INSERT INTO {holder} (lease_until_ms, owner) VALUES (${untilMs}, $owner)`
  const renew = `UPDATE {holder} SET lease_until_ms = ${untilMs} WHERE id = $holder`
  const isStale = `SELECT lease_until_ms < ${untilMs} FROM {holder} WHERE id = $holder${fragments.lockHolder}`
  const ended = `SELECT id FROM {holder} WHERE lease_until_ms <= $endedBeforeMs AND id <> $except${fragments.skipLocked}`
  const drop = `DELETE FROM {holder} WHERE ${among('id')}`
  const free = `UPDATE {message} SET ${freed('1')} WHERE ${among('holder')}`
  const freeUnspent = `UPDATE {message} SET ${freed('1')}, unspent = unspent + 1 WHERE holder = $holder`

  async function renewed(session: SqlSession, holder: number, leaseMs: number): Promise<boolean> {
    return (await session.run(renew, { leaseMs, holder })) === 1
  }

  return {
    async open(session, leaseMs, owner): Promise<number> {
      const values = { leaseMs, owner }
      if (lastId !== undefined) await session.run(open, values)
      const [row] = await (lastId === undefined
        ? session.all(`${open} RETURNING id`, values)
        : session.all(lastId))
      return Number(row?.[0])
    },

    renew: renewed,

    /** Renewing at each claim would write a second table each time; a tenth of the lease is exact enough. */
    async keep(session, holder, leaseMs): Promise<boolean> {
      const [row] = await session.all(isStale, { leaseMs: Math.round(leaseMs * 0.9), holder })
      if (row?.[0] === 1) await renewed(session, holder, leaseMs)
      return row !== undefined
    },

    async close(session, holder): Promise<void> {
      // A claim that was given up here may still be under way in the server: waited for, and then seen and freed.
      await session.run(drop, { ids: [holder] })
      if ((await session.run(freeUnspent, { holder })) > 0) session.announce()
    },

    /** Leaves out holders that are claiming at this moment. */
    async reap(session, except, endedBeforeMs): Promise<number> {
      const ids = idsOf(await session.all(ended, { endedBeforeMs, except }))
      if (ids.length === 0) return 0
      const freedRows = await session.run(free, { ids })
      await session.run(drop, { ids })
      if (freedRows > 0) session.announce()
      return freedRows
    },
  }
}

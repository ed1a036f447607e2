import type { SqlSession } from '../sql-session.js'
import { broadcastRow } from './broadcast-row.js'
import type { BroadcastRow } from './dialect.js'
import { NOW } from './mysql-queue.js'

const BROADCAST = `INSERT INTO {broadcast} (sent_ms, meta, body) VALUES (${NOW}, ?, ?)`

// Ids are given out before the commit: a number may become visible after a larger one. Writers take turns, so that a
// listener that goes on from the largest it saw misses nothing.
const IN_TURN = 'SELECT version FROM {topology} FOR UPDATE'

/** One insert, under a lock that all writers take. See `SqlDialect.broadcast`. */
export async function broadcast(session: SqlSession, meta: string, body: Uint8Array): Promise<void> {
  await session.all(IN_TURN)
  await session.run(BROADCAST, [meta, body])
}

/** The largest id still kept, which is enough: ids are never given out twice. See `SqlDialect.lastBroadcast`. */
export async function lastBroadcast(session: SqlSession): Promise<number> {
  const [row] = await session.all('SELECT coalesce(max(id), 0) FROM {broadcast}')
  return Number(row?.[0])
}

/** Reads by primary key, so a listener pays for what is new only. See `SqlDialect.broadcastsAfter`. */
export async function broadcastsAfter(session: SqlSession, id: number): Promise<readonly BroadcastRow[]> {
  const rows = await session.all('SELECT id, meta, body FROM {broadcast} WHERE id > ? ORDER BY id', [id])
  return rows.map(broadcastRow)
}

/** Deletes by age on the database's clock. See `SqlDialect.dropBroadcasts`. */
export async function dropBroadcasts(session: SqlSession, olderThanMs: number): Promise<void> {
  await session.run(`DELETE FROM {broadcast} WHERE sent_ms < ${NOW} - ?`, [olderThanMs])
}

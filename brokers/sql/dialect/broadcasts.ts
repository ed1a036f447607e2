import { parsedJson } from '../../../src/util/parsed-json.js'
import type { BroadcastDialect } from './dialect.js'
import type { Fragments } from './fragments.js'

/**
 * Broadcasts: the same steps everywhere.
 *
 * @param inTurn - Locks out other writers. On a server ids are given out before the commit: a number may become visible after
 *   a larger one. Writers take turns, so that a listener that goes on from the largest it saw misses nothing.
 */
export function broadcastDialect({ now, integer }: Fragments, inTurn?: string): BroadcastDialect {
  return {
    async send(session, meta, body): Promise<void> {
      if (inTurn !== undefined) await session.run(inTurn)
      const values = { meta, body }
      await session.run(`INSERT INTO {broadcast} (sent_ms, meta, body) VALUES (${now}, $meta, $body)`, values)
      session.announce()
    },

    /** The largest id still kept, which is enough: ids are never given out twice. */
    async lastId(session): Promise<number> {
      const [row] = await session.all('SELECT coalesce(max(id), 0) FROM {broadcast}')
      return Number(row?.[0])
    },

    /** Reads by primary key, so a listener pays for what is new only. */
    async after(session, id) {
      const rows = await session.all('SELECT id, meta, body FROM {broadcast} WHERE id > $id ORDER BY id', {
        id,
      })
      return rows.map(([key, meta, body]) => ({
        id: Number(key),
        meta: parsedJson(meta),
        body: body instanceof Uint8Array ? body : new Uint8Array(),
      }))
    },

    async dropOld(session, olderThanMs): Promise<void> {
      const sql = `DELETE FROM {broadcast} WHERE sent_ms < ${now} - ${integer('olderThanMs')}`
      await session.run(sql, { olderThanMs })
    },
  }
}

import type { Knex } from 'knex'
import { piecesOf } from '../dialect/pieces.js'
import type { SqlSession } from '../sql-session.js'
import type { KombuFlavour } from './flavours.js'

/** A message of kombu's table. */
export interface KombuRow {
  readonly queue: string
  readonly payload: string
}

/**
 * Add messages that any worker may take, in this order.
 *
 * @source kombu 5.7, `kombu/transport/sqlalchemy/__init__.py`, `Channel._put`: the timestamp stays empty.
 */
export async function addVisible(
  session: SqlSession,
  flavour: KombuFlavour,
  rows: readonly KombuRow[],
): Promise<void> {
  if (rows.length === 0) return
  const nextId = await flavour.nextId(session)
  const ids = await queueIds(session, [...new Set(rows.map(({ queue }) => queue))], nextId)
  for (const piece of piecesOf(rows)) {
    await session.change((knex, names) =>
      knex(names.kombuMessage).insert(
        piece.map(({ queue, payload }) => ({
          ...(nextId !== undefined && { id: knex.raw(nextId(names.kombuMessageIds)) }),
          ...{ visible: true, payload, version: 1, queue_id: ids.get(queue) },
        })),
      ),
    )
  }
  session.announce()
}

async function queueIds(
  session: SqlSession,
  queues: readonly string[],
  nextId: ((sequence: string) => string) | undefined,
): Promise<ReadonlyMap<string, number>> {
  const known = await readQueueIds(session, queues)
  const missing = queues.filter((queue) => !known.has(queue))
  if (missing.length === 0) return known
  await session.change((knex, names) => {
    const written = missing.map((name) => ({
      ...(nextId !== undefined && { id: knex.raw(nextId(names.kombuQueueIds)) }),
      name,
    }))
    return knex(names.kombuQueue).insert(written).onConflict('name').ignore()
  })
  return readQueueIds(session, queues)
}

async function readQueueIds(
  session: SqlSession,
  queues: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await session.rows((knex, names) =>
    knex(names.kombuQueue).select('id', 'name').whereIn('name', queues),
  )
  return new Map(rows.map(({ id, name }) => [String(name), Number(id)]))
}

/**
 * Take the oldest messages that wait out of the table: their envelopes, in the order that they are served in.
 *
 * @source kombu 5.7, `kombu/transport/sqlalchemy/__init__.py`, `Channel._get`, which leaves them there for good.
 */
export async function takeVisible(
  session: SqlSession,
  flavour: KombuFlavour,
  { queue, max }: { readonly queue: string; readonly max: number },
): Promise<readonly string[]> {
  const rows = await session.rows((knex, names) => {
    const waiting = visibleIn(knex(names.kombuMessage), flavour, queueIdsOf(knex(names.kombuQueue), [queue]))
      .select('id', 'payload')
      .orderBy('timestamp')
      .orderBy('id')
      .limit(max)
    return flavour.skipsLocked ? waiting.forUpdate().skipLocked() : waiting
  })
  if (rows.length === 0) return []
  const ids = rows.map(({ id }) => Number(id))
  await session.change((knex, names) => knex(names.kombuMessage).whereIn('id', ids).delete())
  return rows.map(({ payload }) => String(payload))
}

/** Whether a message waits in one of these queues. */
export async function anyVisible(
  session: SqlSession,
  flavour: KombuFlavour,
  queues: readonly string[],
): Promise<boolean> {
  const rows = await session.rows((knex, names) =>
    visibleIn(knex(names.kombuMessage), flavour, queueIdsOf(knex(names.kombuQueue), queues))
      .select('id')
      .limit(1),
  )
  return rows.length > 0
}

/** How many messages wait in a queue. */
export async function countVisible(
  session: SqlSession,
  flavour: KombuFlavour,
  queue: string,
): Promise<number> {
  const [row] = await session.rows((knex, names) =>
    visibleIn(knex(names.kombuMessage), flavour, queueIdsOf(knex(names.kombuQueue), [queue])).count({
      waiting: '*',
    }),
  )
  return Number(row?.['waiting'])
}

/** Delete the messages of a queue that wait; with `'all'` the queue too, and what Celery's workers took. */
export async function dropQueue(
  session: SqlSession,
  flavour: KombuFlavour,
  { queue, which }: { readonly queue: string; readonly which: 'waiting' | 'all' },
): Promise<number> {
  const dropped = await session.change((knex, names) =>
    visibleIn(knex(names.kombuMessage), flavour, queueIdsOf(knex(names.kombuQueue), [queue])).delete(),
  )
  if (which === 'waiting') return dropped
  await session.change((knex, names) =>
    knex(names.kombuMessage)
      .whereIn('queue_id', queueIdsOf(knex(names.kombuQueue), [queue]))
      .delete(),
  )
  await session.change((knex, names) => knex(names.kombuQueue).where({ name: queue }).delete())
  return dropped
}

/** Names of the queues in kombu's table, whoever made them. */
export async function queueNames(session: SqlSession): Promise<readonly string[]> {
  const rows = await session.rows((knex, names) => knex(names.kombuQueue).select('name').orderBy('id'))
  return rows.map(({ name }) => String(name))
}

function visibleIn(
  messages: Knex.QueryBuilder,
  { visible }: KombuFlavour,
  queues: Knex.QueryBuilder,
): Knex.QueryBuilder {
  return messages.whereIn('queue_id', queues).whereRaw(visible)
}

function queueIdsOf(table: Knex.QueryBuilder, queues: readonly string[]): Knex.QueryBuilder {
  return table.select('id').whereIn('name', queues)
}

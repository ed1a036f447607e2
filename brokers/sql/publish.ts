import type { Outgoing } from '../../src/broker/contract.js'
import { BrokerConnectionError, PublishError } from '../../src/errors/errors.js'
import type { VisibilityDelay, NewMessage } from './dialect/dialect.js'
import { encodeMeta } from './envelope.js'
import type { SqlSession } from './sql-session.js'
import type { SqlStore } from './store.js'
import type { Topology } from './topology.js'

/** Insert messages within a transaction; resolves with the positions whose route reaches no queue. */
export async function insertOutgoing(
  session: SqlSession,
  store: SqlStore,
  batch: readonly Outgoing[],
): Promise<readonly number[]> {
  await store.topology.refresh(session)
  return insertRouted(session, store, { topology: store.topology, batch })
}

/**
 * Insert messages in one statement that is a transaction by itself; `false` when nothing was done, and a transaction has to
 * do it: a queue is not known, or the queues have changed.
 */
export async function insertAtOnce(
  store: SqlStore,
  batch: readonly Outgoing[],
  signal?: AbortSignal,
): Promise<boolean> {
  const { database, dialect, topology } = store
  const { atOnce } = dialect
  const { version } = topology
  if (atOnce === undefined || version < 0) return false
  const { rows, unroutable } = routed(topology, batch)
  if (unroutable.length > 0) return false
  const inserted = await database.atOnce?.(
    async (session, channel) =>
      channel === undefined ? false : atOnce.insert(session, { version, channel, messages: rows }),
    signal,
  )
  return inserted === true
}

/** As {@link insertOutgoing}, by a topology that the caller has refreshed. */
export async function insertRouted(
  session: SqlSession,
  { dialect }: SqlStore,
  { topology, batch }: { readonly topology: Topology; readonly batch: readonly Outgoing[] },
): Promise<readonly number[]> {
  const { rows, unroutable } = routed(topology, batch)
  await dialect.queue.insert(session, rows)
  return unroutable
}

interface Routed {
  readonly rows: readonly NewMessage[]
  /** Positions whose route reaches no queue. */
  readonly unroutable: readonly number[]
}

function routed(topology: Topology, batch: readonly Outgoing[]): Routed {
  const unroutable: number[] = []
  const rows: NewMessage[] = []
  batch.forEach((outgoing, index) => {
    const queues = topology.reached(outgoing)
    if (queues.length === 0) unroutable.push(index)
    for (const queue of queues) rows.push(newMessage(outgoing, queue))
  })
  return { rows, unroutable }
}

/** The error of a batch that was cancelled before anything of it was written. */
export function notSentError(batch: readonly Outgoing[]): PublishError {
  const message = 'the message was not sent: its turn had not come when the time was up'
  const cause = new BrokerConnectionError(message)
  return new PublishError(message, [...batch.keys()], { cause, notSent: true })
}

function newMessage(outgoing: Outgoing, queue: string): NewMessage {
  const { message, route } = outgoing
  const priority = Math.trunc(message.properties.priority ?? 0)
  const meta = encodeMeta(message, route, queue)
  const hold = holdOf(outgoing)
  return hold === undefined
    ? { queue, priority, meta, body: message.body }
    : { queue, priority, meta, body: message.body, hold }
}

/** Until when something is hidden, from the two ways to say it; `undefined` when not at all. */
export function holdOf(wish: {
  readonly delayMs?: number
  readonly notBeforeMs?: number
}): VisibilityDelay | undefined {
  if (wish.notBeforeMs !== undefined) return { atMs: wish.notBeforeMs }
  return wish.delayMs !== undefined && wish.delayMs > 0 ? { delayMs: wish.delayMs } : undefined
}

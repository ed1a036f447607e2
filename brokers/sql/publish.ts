import type { Knex } from 'knex'
import type { Outgoing, QueueSpec } from '../../src/broker/contract.js'
import {
  BrokerConnectionError,
  ConfigError,
  PublishError,
  UnsupportedError,
} from '../../src/errors/errors.js'
import { isKnex } from '../shared-schemes.js'
import type { VisibilityDelay, NewMessage } from './dialect/dialect.js'
import { encodeMeta } from './envelope.js'
import type { SqlSession } from './sql-session.js'
import type { SqlStore } from './store.js'
import { declareQueue, Topology } from './topology.js'

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
async function insertRouted(
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

/** What is published, and the queues that it needs. */
export interface WithinBatch {
  readonly batch: readonly Outgoing[]
  readonly queues: readonly QueueSpec[]
}

/**
 * Insert messages as part of the application's transaction, on its connection and no other: an application on SQLite may
 * have just this one. Resolves with the positions whose route reaches no queue.
 */
export async function publishWithin(
  store: SqlStore,
  transaction: object,
  { batch, queues }: WithinBatch,
): Promise<readonly number[]> {
  const { database, wake } = store
  if (database.within === undefined) {
    throw new UnsupportedError(
      'this broker has a connection of its own to the SQLite file; to send within a transaction hand over the ' +
        "application's Knex instance as the broker",
    )
  }
  const open = openTransaction(transaction)
  const unroutable = await database.within(open, async (session) => {
    const topology = await topologyIn(session, store)
    const missing = queues.filter((queue) => !topology.has(queue))
    for (const queue of missing) await declareQueue(session, queue)
    if (missing.length > 0) await topology.refresh(session)
    return insertRouted(session, store, { topology, batch })
  })
  // Wake those that wait in this process; the commit notifies the others, where the database can.
  const woken = (): void => wake.signal()
  open.executionPromise.then(woken, () => undefined)
  return unroutable
}

/** What this process knows, or what the transaction sees where that is something else: it may be rolled back. */
async function topologyIn(session: SqlSession, store: SqlStore): Promise<Topology> {
  const own = new Topology()
  const shared = store.topology
  if (await shared.isCurrent(session)) own.copy(shared)
  else await own.refresh(session)
  return own
}

function openTransaction(transaction: object): Knex.Transaction {
  if (!isTransaction(transaction)) {
    throw new ConfigError('expected a Knex transaction, as `knex.transaction` gives it to its callback')
  }
  if (transaction.isCompleted()) throw new ConfigError('the transaction has ended already')
  return transaction
}

function isTransaction(transaction: object): transaction is Knex.Transaction {
  return isKnex(transaction) && 'isCompleted' in transaction && 'executionPromise' in transaction
}

import type { Knex } from 'knex'
import type { Outgoing, QueueSpec } from '../../src/broker/contract.js'
import { ConfigError, UnsupportedError } from '../../src/errors/errors.js'
import { isKnex } from '../shared-schemes.js'
import { insertRouted } from './publish.js'
import type { SqlSession } from './sql-session.js'
import type { SqlStore } from './store.js'
import { declareQueue, Topology } from './topology.js'

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
  // Whoever waits in this process; others are told by the commit, where the database can.
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

import type { Outgoing } from '../../src/broker/contract.js'
import type { Hold, NewMessage } from './dialect/dialect.js'
import { encodeMeta } from './envelope.js'
import type { Session } from './session.js'
import type { SqlStore } from './store.js'

/** Insert messages within a transaction; resolves with the positions whose route reaches no queue. */
export async function insertOutgoing(
  session: Session,
  store: SqlStore,
  batch: readonly Outgoing[],
): Promise<readonly number[]> {
  await store.topology.refresh(session)
  const unroutable: number[] = []
  const rows: NewMessage[] = []
  batch.forEach((outgoing, index) => {
    const queues = store.topology.reached(outgoing)
    if (queues.length === 0) unroutable.push(index)
    for (const queue of queues) rows.push(newMessage(outgoing, queue))
  })
  await store.dialect.insert(session, rows)
  return unroutable
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
export function holdOf(wish: { readonly delayMs?: number; readonly notBeforeMs?: number }): Hold | undefined {
  if (wish.notBeforeMs !== undefined) return { atMs: wish.notBeforeMs }
  return wish.delayMs !== undefined && wish.delayMs > 0 ? { delayMs: wish.delayMs } : undefined
}

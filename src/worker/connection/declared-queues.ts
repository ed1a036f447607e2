import type { Broker, QueueSpec } from '../../broker/contract.js'
import type { SettleItem } from '../settle/settle-item.js'

const declared = new WeakMap<Broker, Set<string>>()

/** Declare the queues that these settlements publish to, each once for a connection. */
export async function declareAll(broker: Broker, items: readonly SettleItem[]): Promise<void> {
  for (const { declares } of items) {
    if (declares !== undefined) await declareOnce(broker, declares)
  }
}

async function declareOnce(broker: Broker, queue: QueueSpec): Promise<void> {
  let names = declared.get(broker)
  if (names === undefined) {
    names = new Set()
    declared.set(broker, names)
  }
  if (names.has(queue.name)) return
  await broker.declare(queue)
  names.add(queue.name)
}

import type { Broker, QueueSpec } from './contract.js'

const DONE = 'done'

/** Queues that a connection declared by name, with the attempt while that is under way. */
const declared = new WeakMap<Broker, Map<string, Promise<void> | typeof DONE>>()

/** Declare a queue, once for a connection; `undefined` when it has done so. A failed attempt is not kept. */
export function declareOnce(broker: Broker, queue: QueueSpec): Promise<void> | undefined {
  const known = declared.get(broker) ?? new Map<string, Promise<void> | typeof DONE>()
  declared.set(broker, known)
  const earlier = known.get(queue.name)
  if (earlier !== undefined) return earlier === DONE ? undefined : earlier
  const declaring = broker.declare(queue).then(
    () => void known.set(queue.name, DONE),
    (error: unknown) => {
      known.delete(queue.name)
      throw error
    },
  )
  known.set(queue.name, declaring)
  return declaring
}

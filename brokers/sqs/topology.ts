import type { QueueSpec, Route } from '../../src/broker/contract.js'
import { matchBindings } from '../../src/broker/routing.js'
import type { BoundQueue } from '../../src/broker/routing.js'

/**
 * Bindings of the queues that this instance declared. The service has no place for them: as with Celery, each process
 * has them from its configuration.
 */
export class Topology {
  readonly #bound = new Map<string, readonly BoundQueue[]>()

  declare(queue: QueueSpec): void {
    const known = this.#bound.get(queue.name) ?? []
    this.#bound.set(queue.name, [
      ...known,
      ...queue.bindings.map((binding) => ({ queue: queue.name, binding })),
    ])
  }

  delete(queue: string): void {
    this.#bound.delete(queue)
  }

  isDeclared(queue: string): boolean {
    return this.#bound.has(queue)
  }

  /** Queues that a route reaches; for exchange `''` the one it names, declared or not. */
  reached(route: Route): readonly string[] {
    if (route.exchange === '') return [route.routingKey]
    return matchBindings([...this.#bound.values()].flat(), route)
  }
}

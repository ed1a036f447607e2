/** A consumer that waits for messages. */
export interface Waiter {
  readonly queues: readonly string[]
  /** Claim what is there. A waiter that got something leaves the room by itself. */
  serve(): void
}

/** Who waits for which queue, in the order they came. */
export class WaitingConsumers {
  readonly #byQueue = new Map<string, Set<Waiter>>()

  /** Whether nobody waits. */
  get isEmpty(): boolean {
    return this.#byQueue.size === 0
  }

  /** Queues that somebody waits for. */
  queues(): readonly string[] {
    return [...this.#byQueue.keys()]
  }

  /** Begin to wait for all queues of a waiter. */
  enter(waiter: Waiter): void {
    for (const queue of waiter.queues) {
      const waiters = this.#byQueue.get(queue)
      if (waiters === undefined) this.#byQueue.set(queue, new Set([waiter]))
      else waiters.add(waiter)
    }
  }

  /** Stop waiting. */
  leave(waiter: Waiter): void {
    for (const queue of waiter.queues) {
      const waiters = this.#byQueue.get(queue)
      waiters?.delete(waiter)
      if (waiters?.size === 0) this.#byQueue.delete(queue)
    }
  }

  /** Offer a queue's messages to those who wait for it. */
  serve(queue: string): void {
    const waiters = this.#byQueue.get(queue)
    if (waiters === undefined) return
    for (const waiter of waiters) waiter.serve()
  }
}

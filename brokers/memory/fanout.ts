import type { Binding, Fanout, FanoutListener, Route, Subscription } from '../../src/broker/contract.js'
import { matchesBinding } from '../../src/broker/routing.js'
import type { Message } from '../../src/message/message.js'

interface Subscriber {
  readonly bindings: readonly Binding[]
  readonly listener: FanoutListener
}

/** Broadcast to the listeners of this process. */
export class MemoryFanout implements Fanout {
  readonly #subscribers = new Set<Subscriber>()

  async broadcast(route: Route, message: Message): Promise<void> {
    for (const subscriber of this.#subscribers) {
      const heard = subscriber.bindings.some(
        (binding) =>
          binding.exchange === route.exchange && matchesBinding(binding, route.routingKey, message.headers),
      )
      // A listener must not run inside the call of whoever broadcasts.
      if (heard)
        queueMicrotask(() => {
          if (!this.#subscribers.has(subscriber)) return
          try {
            subscriber.listener.message(route, message)
          } catch {
            // One that cannot be handled must not end the process, nor keep back those after it.
          }
        })
    }
  }

  async subscribe(bindings: readonly Binding[], listener: FanoutListener): Promise<Subscription> {
    const subscriber = { bindings, listener }
    this.#subscribers.add(subscriber)
    return {
      close: async () => {
        this.#subscribers.delete(subscriber)
      },
    }
  }
}

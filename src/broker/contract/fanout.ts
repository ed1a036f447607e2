/** Broadcasts. */
import type { Message } from '../../message/message.js'
import type { Binding, Route } from './queue.js'

/** Best-effort broadcast, for remote control and events. Nothing is stored for absent listeners. */
export interface Fanout {
  broadcast(route: Route, message: Message): Promise<void>
  subscribe(bindings: readonly Binding[], listener: FanoutListener): Promise<Subscription>
}

/** Who hears broadcasts. */
export interface FanoutListener {
  message(route: Route, message: Message): void
  /** Called once when the subscription dies of a lost connection. */
  lost(error: Error): void
}

/** An open subscription. */
export interface Subscription {
  close(): Promise<void>
}

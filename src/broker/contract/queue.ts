/** Messages on their way to queues, and the queues themselves. */
import type { Message } from '../../message/message.js'

/** Where a message goes. Exchange `''` means: to the queue that `routingKey` names. */
export interface Route {
  readonly exchange: string
  readonly routingKey: string
}

/** A message to publish. At most one of `notBeforeMs` and `delayMs` is set. */
export interface Outgoing {
  readonly route: Route
  readonly message: Message
  /** Earliest delivery, in epoch milliseconds, compared on the store's clock. */
  readonly notBeforeMs?: number
  /** Delay from the moment the store accepts the message, in milliseconds. */
  readonly delayMs?: number
}

/** How an exchange picks queues. */
export type ExchangeType = 'direct' | 'topic' | 'fanout' | 'headers'

/** One link from an exchange to a queue. */
export interface Binding {
  readonly exchange: string
  readonly type: ExchangeType
  readonly routingKey: string
  /** For `headers` exchanges: what must match, `x-match` included. */
  readonly arguments?: Readonly<Record<string, unknown>>
  /** How the exchange is declared, where a store has exchanges of its own. */
  readonly exchangeOptions?: ExchangeOptions
}

/** How an exchange is declared. */
export interface ExchangeOptions {
  /** @defaultValue `true` */
  readonly durable?: boolean
  /** Delete the exchange with its last binding. */
  readonly autoDelete?: boolean
  /** Passed to the driver untouched. */
  readonly arguments?: Readonly<Record<string, unknown>>
}

/** A queue to declare. */
export interface QueueSpec {
  readonly name: string
  /** The queue is on the server as it is to be; drivers whose stores share queues with other programs declare nothing. */
  readonly noDeclare?: boolean
  /** `'durable'` survives a broker restart; `'transient'` may go with the connection that declared it. */
  readonly lifetime: 'durable' | 'transient'
  /** Delete the queue after this many milliseconds without a consumer. */
  readonly expiresMs?: number
  /** Delete the queue with its last consumer. Drivers whose stores know no such queues keep it. */
  readonly autoDelete?: boolean
  /** One connection alone consumes the queue, and it goes with that connection; such stores keep it, for all. */
  readonly exclusive?: boolean
  readonly bindings: readonly Binding[]
  /** Passed to the driver untouched, for example `{ 'x-queue-type': 'quorum' }`. */
  readonly arguments?: Readonly<Record<string, unknown>>
}

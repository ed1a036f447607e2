/** How an exchange of a queue setting picks queues. */
export type ExchangeTypeSetting = 'direct' | 'topic' | 'fanout' | 'headers'

/** One link from an exchange to a queue. */
export interface BindingSetting {
  readonly exchange: string
  /** @defaultValue `taskDefaultExchangeType` */
  readonly exchangeType?: ExchangeTypeSetting
  /** @defaultValue the routing key of the queue */
  readonly routingKey?: string
  /** For `headers` exchanges: what must match, `x-match` included. */
  readonly arguments?: Readonly<Record<string, unknown>>
}

/** A queue of `taskQueues`. */
export interface QueueSetting {
  readonly name: string
  /** @defaultValue `taskDefaultExchange`, else the name of the queue */
  readonly exchange?: string
  /** @defaultValue `taskDefaultExchangeType` */
  readonly exchangeType?: ExchangeTypeSetting
  /** @defaultValue `taskDefaultRoutingKey`, else the name of the queue */
  readonly routingKey?: string
  /** Several links in place of the one above. */
  readonly bindings?: readonly BindingSetting[]
  /** Handed to the driver untouched, for example `{ 'x-queue-type': 'quorum' }`. */
  readonly queueArguments?: Readonly<Record<string, unknown>>
  /** For headers exchanges: what must match. */
  readonly bindingArguments?: Readonly<Record<string, unknown>>
  /** @defaultValue `true` */
  readonly durable?: boolean
  /** Delete the queue with its last consumer, on RabbitMQ. @defaultValue `exclusive` */
  readonly autoDelete?: boolean
  /** Only one worker consumes the queue, and it goes with that worker's connection, on RabbitMQ. */
  readonly exclusive?: boolean
  /** Highest priority, on RabbitMQ. */
  readonly maxPriority?: number
}

/** Queues as written: a list, of names too, or an object by name. */
export type QueuesInput =
  readonly (string | QueueSetting)[] | Readonly<Record<string, Omit<QueueSetting, 'name'> | null>>

/** Where a route sends a task; any other member becomes an option of the call. */
export interface RouteTarget {
  readonly queue?: string
  readonly exchange?: string
  readonly exchangeType?: ExchangeTypeSetting
  readonly routingKey?: string
  readonly priority?: number
  readonly [option: string]: unknown
}

/** A route as a function; nothing (`undefined` or `null`) leaves the task to the next route. */
export type RouteFunction = (
  name: string,
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
  ...rest: readonly [options: Readonly<Record<string, unknown>>, task?: unknown]
) => RouteAnswer | Promise<RouteAnswer>

/** What a route function answers: a queue name, a target, or nothing. */
export type RouteAnswer = string | RouteTarget | null | undefined

/** A name, a glob (`feed.tasks.*`) or a regular expression, and where what it fits goes. */
export type RoutePair = readonly [pattern: string | RegExp, target: string | RouteTarget]

/** Targets by name or glob. */
export type RouteMap = Readonly<Record<string, string | RouteTarget>>

/** A route as an object. */
export interface RouteObject {
  readonly routeForTask: RouteFunction
}

/** Routes as written: one, or several that are asked in order. */
export type RoutesInput = RouteInput | readonly (RouteInput | RoutePair | readonly RoutePair[])[]

/** One route as written. */
export type RouteInput = RouteMap | RouteFunction | RouteObject

/** One resolved pair: names of the target are camelCase. */
export interface RouteRule {
  readonly pattern: string | RegExp
  readonly target: RouteTarget
}

/**
 * One resolved route; the first of a list that knows the task decides.
 *
 * Of `rules` an exact name wins over a pattern, and the first pattern over later ones.
 */
export type RouteSetting = { readonly rules: readonly RouteRule[] } | { readonly route: RouteFunction }

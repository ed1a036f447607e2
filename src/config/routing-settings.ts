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
  /** Another name of the queue for calls, routes and `-Q`; it stays in this program. */
  readonly alias?: string
  /** @defaultValue `taskDefaultExchange`, else the name of the queue */
  readonly exchange?: string
  /** @defaultValue `direct` where `exchange` is set, else `taskDefaultExchangeType` */
  readonly exchangeType?: ExchangeTypeSetting
  /** @defaultValue the name of the queue */
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
  /** Leave queue, exchange and binding as they are on the server: they exist. On RabbitMQ. */
  readonly noDeclare?: boolean
  /** 1 for messages that need not survive a restart of RabbitMQ, 2 for those that do. @defaultValue `taskDefaultDeliveryMode` */
  readonly deliveryMode?: 1 | 2
  /** @defaultValue `durable` of the queue. On RabbitMQ. */
  readonly exchangeDurable?: boolean
  /** Delete the exchange with its last binding. @defaultValue `autoDelete` of the queue. On RabbitMQ. */
  readonly exchangeAutoDelete?: boolean
  /** Arguments of the exchange, for example `{ 'alternate-exchange': 'lost' }`. On RabbitMQ. */
  readonly exchangeArguments?: Readonly<Record<string, unknown>>
}

/** Queues as written: a list, of names too, or an object by name. */
export type QueuesInput =
  readonly (string | QueueSetting)[] | Readonly<Record<string, Omit<QueueSetting, 'name'> | null>>

/**
 * Where a route sends a task. Any other member is an option of the call (`serializer`, `expires`, `timeLimit`, …), which holds
 * where neither the call nor the task says otherwise.
 */
export interface RouteTarget {
  readonly queue?: string | undefined
  readonly exchange?: string | undefined
  /** How the exchange picks queues. @defaultValue the type of the queue's exchange */
  readonly exchangeType?: ExchangeTypeSetting | undefined
  readonly routingKey?: string | undefined
  readonly priority?: number | undefined
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

/**
 * One route as written. A text names what a module exports, `./routers.js:route` or `shop.routers.Router`: a function, an object
 * with `routeForTask`, or a class of such objects.
 */
export type RouteInput = string | RouteMap | RouteFunction | RouteObject

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
export type RouteSetting =
  | { readonly rules: readonly RouteRule[] }
  | { readonly route: RouteFunction }
  /** Where the router is; loaded when the first call is routed. */
  | { readonly path: string }

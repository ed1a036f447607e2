import type { ExchangeType, Route } from '../broker/contract.js'
import type { Config } from '../config/config.js'
import type { RouteFunction, RouteRule, RouteSetting, RouteTarget } from '../config/routing-settings.js'
import { readTarget, asRouteFunction } from '../config/routes.js'
import { TaskError, UnsupportedError, ConfigError } from '../errors/errors.js'
import type { CallOptions } from '../task/call-options.js'
import type { TaskDefinition } from '../task/definition.js'
import type { TaskOptions } from '../task/options.js'
import type { AppQueue, QueueTable } from './queues.js'
import { checkRouteOptions } from '../task/check-call.js'
import { loadExport } from './load-export.js'

/** What a route function is asked about. */
export interface RoutedCall {
  readonly name: string
  readonly args: readonly unknown[]
  readonly kwargs: Readonly<Record<string, unknown>>
  readonly options: CallOptions
  readonly task: TaskDefinition | undefined
}

/** Where a call goes, and what the route added to its options. */
export interface RoutedMessage {
  readonly route: Route
  /** To declare before publishing. */
  readonly queue: AppQueue | undefined
  readonly priority: number | undefined
  /** The options of the call, filled up by its route. */
  readonly options: CallOptions
}

type Lookup = (call: RoutedCall) => ReadRoute | undefined | Promise<ReadRoute | undefined>

const NO_ROUTE: ReadRoute = { destination: {}, options: undefined }
const NO_OPTIONS: TaskOptions = {}

/** The priorities that a message may have: 0 to `most`. */
export interface PriorityLimit {
  readonly most: number
  /** Name of a broker that has them. */
  readonly broker: string
}

/**
 * Picks exchange and routing key: call option, then task option, then `taskRoutes`, then the default queue.
 *
 * @source Celery 5.7, `celery/app/routes.py`, `celery/app/amqp.py`.
 */
export class Router {
  readonly #queues: QueueTable
  readonly #lookups: readonly Lookup[]
  readonly #findLimit: () => PriorityLimit
  #limit: PriorityLimit | undefined

  constructor(config: Config, queues: QueueTable, priorityLimit: () => PriorityLimit) {
    this.#queues = queues
    this.#findLimit = priorityLimit
    this.#lookups = config.taskRoutes.map(toLookup)
  }

  /** Whether every call without options of its own goes to the default queue. */
  get isPlain(): boolean {
    return this.#lookups.length === 0
  }

  /** Resolve one call. Where the router is plain, {@link resolve} does the same without a promise. */
  async route(call: RoutedCall): Promise<RoutedMessage> {
    return this.resolve(call, this.isPlain ? NO_ROUTE : await this.#lookUp(call))
  }

  /** Resolve one call whose entry in `taskRoutes` is known. */
  resolve(call: RoutedCall, { destination: found, options: added }: ReadRoute = NO_ROUTE): RoutedMessage {
    const options = withRouteOptions(call.options, call.task?.options ?? NO_OPTIONS, added)
    const name = pick(call, found, 'queue')
    const exchange = pick(call, found, 'exchange')
    const routingKey = pick(call, found, 'routingKey')
    const priority = this.checkedPriority(pick(call, found, 'priority'), call.name)
    if (name === undefined && exchange !== undefined) {
      return { route: { exchange, routingKey: routingKey ?? '' }, queue: undefined, priority, options }
    }
    const queue = name === undefined ? this.#queues.defaultQueue : this.#queues.get(name)
    const type = found.exchangeType ?? queue.exchangeType
    return { route: toRoute(queue, type, { exchange, routingKey }), queue, priority, options }
  }

  /** A priority that the broker has. @throws {@link TaskError} for any other. */
  checkedPriority(priority: number | undefined, name: string): number | undefined {
    if (priority === undefined) return undefined
    this.#limit ??= this.#findLimit()
    const { most, broker } = this.#limit
    if (most === 0 && priority !== 0) {
      throw new UnsupportedError(
        `broker "${broker}" has no priorities, which ${name} asks for with ${priority}`,
      )
    }
    if (priority >= 0 && priority <= most) return priority
    throw new TaskError(
      `expected the priority of ${name} to be 0 to ${most}, as the broker has them, got: ${priority}`,
    )
  }

  async #lookUp(call: RoutedCall): Promise<ReadRoute> {
    for (const lookup of this.#lookups) {
      const found = await lookup(call)
      if (found !== undefined) return found
    }
    return NO_ROUTE
  }
}

/** What a level may say of the destination; what it leaves out, a lower level decides. */
type RoutableOptions = Pick<RouteDestination, 'queue' | 'exchange' | 'routingKey' | 'priority'>

function pick<Key extends keyof RoutableOptions>(
  call: RoutedCall,
  found: RoutableOptions,
  key: Key,
): RoutableOptions[Key] {
  return call.options[key] ?? call.task?.options[key] ?? found[key]
}

/** A direct exchange is bypassed: Celery publishes to the queue by name unless both parts were given. */
function toRoute(queue: AppQueue, type: ExchangeType, { exchange, routingKey }: RoutableOptions): Route {
  const incomplete = exchange === undefined || routingKey === undefined
  if (incomplete && type === 'direct') return { exchange: '', routingKey: queue.spec.name }
  return { exchange: exchange ?? queue.exchange, routingKey: routingKey ?? queue.routingKey }
}

function toLookup(setting: RouteSetting): Lookup {
  if ('rules' in setting) return fromRules(setting.rules)
  return 'route' in setting ? fromFunction(setting.route) : fromPath(setting.path)
}

/** Loaded by the first call; one that fails is tried again by the next. */
function fromPath(path: string): Lookup {
  let loading: Promise<Lookup> | undefined
  const load = async (): Promise<Lookup> => {
    try {
      return fromFunction(await loadRouter(path))
    } catch (error) {
      loading = undefined
      throw error
    }
  }
  return async (call) => {
    loading ??= load()
    return (await loading)(call)
  }
}

function fromFunction(route: RouteFunction): Lookup {
  return async (call) => {
    const answer = await route(call.name, call.args, call.kwargs, { ...call.options }, call.task)
    const what = `the route of ${call.name}`
    return answer === null || answer === undefined ? undefined : readRoute(readTarget(answer, what), what)
  }
}

/** An exact name wins over a pattern, and the first pattern over later ones. */
function fromRules(rules: readonly RouteRule[]): Lookup {
  const exact = new Map<string, ReadRoute>()
  const patterns: { readonly pattern: RegExp; readonly target: ReadRoute }[] = []
  for (const { pattern, target: written } of rules) {
    const target = readRoute(written, `the route "${String(pattern)}"`)
    if (typeof pattern !== 'string') patterns.push({ pattern, target })
    else if (/[*?[]/.test(pattern)) patterns.push({ pattern: globToRegExp(pattern), target })
    else exact.set(pattern, target)
  }
  return ({ name }) => exact.get(name) ?? patterns.find(({ pattern }) => pattern.test(name))?.target
}

/** `*` any text, `?` one character, `[…]` a set, as Python's fnmatch. */
function globToRegExp(glob: string): RegExp {
  const source = glob.replace(/\[!?[^\]]*\]|[.+^${}()|\\[\]*?]/g, (found) => {
    if (found === '*') return '.*'
    if (found === '?') return '.'
    return found.length > 1 ? found.replace(/^\[!/, '[^') : `\\${found}`
  })
  return new RegExp(`^${source}$`)
}

/** What a route says of the destination; everything else in it is an option of the call. */
type RouteDestination = Pick<RouteTarget, 'queue' | 'exchange' | 'exchangeType' | 'routingKey' | 'priority'>

/** A route taken apart. */
interface ReadRoute {
  readonly destination: RouteDestination
  /** Options of the call where neither the call nor the task says something; `undefined` when there are none. */
  readonly options: CallOptions | undefined
}

/** Celery's names that are not ours in snake case. */
const CELERY_NAMES: ReadonlyMap<string, string> = new Map([
  ['argsrepr', 'argsRepr'],
  ['kwargsrepr', 'kwargsRepr'],
])

/**
 * Take the target of a route apart.
 *
 * @param what - The route as errors name it.
 * @throws `TaskError` for an option that no call has.
 */
function readRoute(target: RouteTarget, what: string): ReadRoute {
  const { queue, exchange, exchangeType, routingKey, priority, deliveryMode, ...rest } = target
  const options: Record<string, unknown> = {}
  if (deliveryMode !== undefined) options['persistent'] = isPersistent(deliveryMode)
  for (const [name, value] of Object.entries(rest)) options[CELERY_NAMES.get(name) ?? name] = value
  checkRouteOptions(options, what)
  return {
    destination: { queue, exchange, exchangeType, routingKey, priority },
    options: Object.keys(options).length === 0 ? undefined : options,
  }
}

function isPersistent(deliveryMode: unknown): boolean {
  return deliveryMode !== 1 && deliveryMode !== 'transient'
}

/**
 * The options of a call, filled up from its route: the call wins over the task, and the task over the route.
 *
 * @source Celery 5.7, `celery/app/routes.py`, `Router.route` (`lpmerge`); `celery/app/task.py`, `Task.apply_async`.
 */
function withRouteOptions(call: CallOptions, own: TaskOptions, route: CallOptions | undefined): CallOptions {
  if (route === undefined) return call
  const isTimed = call.countdown !== undefined || call.eta !== undefined
  const added = Object.entries(route).filter(
    ([name]) =>
      given(call, name) === undefined &&
      given(own, name) === undefined &&
      !(isTimed && (name === 'countdown' || name === 'eta')),
  )
  return { ...call, ...Object.fromEntries(added) }
}

function given(options: object, name: string): unknown {
  return Reflect.get(options, name)
}

/**
 * The router that a path of `taskRoutes` names: `./routers.js:route`, or `shop.routers.Router` as Python writes it. A class with
 * `routeForTask` is instantiated.
 *
 * @throws {@link ConfigError} for a module that does not load, or has no such router.
 * @source Celery 5.7, `celery/app/routes.py`, `expand_router_string`.
 */
async function loadRouter(path: string): Promise<RouteFunction> {
  const found: unknown = await loadExport(withColon(path))
  const route = asRouteFunction(isRouterClass(found) ? new found() : found)
  if (route !== undefined) return route
  throw new ConfigError(
    `expected "${path}" of taskRoutes to name a function, an object with routeForTask or a class of such objects, got: ${found === undefined ? 'nothing of that name' : typeof found}`,
  )
}

/** `shop.routers.Router` is `shop.routers:Router`; what is a path stays as it is. */
function withColon(path: string): string {
  const isDotted = /^[\w-]+(\.[\w-]+)+$/.test(path) && !/\.[cm]?[jt]s$/.test(path)
  return isDotted ? path.replace(/\.(?=[^.]*$)/, ':') : path
}

function isRouterClass(value: unknown): value is new () => unknown {
  return typeof value === 'function' && 'routeForTask' in Object(value.prototype)
}

import type { ExchangeType, Route } from '../broker/contract.js'
import type { Config } from '../config/config.js'
import type { RouteFunction, RouteRule, RouteSetting } from '../config/routing-settings.js'
import { readTarget } from '../config/value/routes.js'
import { TaskError, UnsupportedError } from '../errors/errors.js'
import type { CallOptions } from '../task/call-options.js'
import type { TaskDefinition } from '../task/definition.js'
import type { TaskOptions } from '../task/options.js'
import { loadRouter } from './load-router.js'
import type { AppQueue, QueueTable } from './queues.js'
import { readRoute, withRouteOptions, type ReadRoute, type RoutePlace } from './route-options.js'

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

const NO_ROUTE: ReadRoute = { place: {}, options: undefined }
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
  resolve(call: RoutedCall, { place: found, options: added }: ReadRoute = NO_ROUTE): RoutedMessage {
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

/** What a level may say of the place; what it leaves out, a lower level decides. */
type RoutableOptions = Pick<RoutePlace, 'queue' | 'exchange' | 'routingKey' | 'priority'>

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

import type { RouteTarget } from '../config/routing-settings.js'
import type { CallOptions } from '../task/call-options.js'
import { checkRouteOptions } from '../task/check-call.js'
import type { TaskOptions } from '../task/options.js'

/** What a route says of the place; everything else in it is an option of the call. */
export type RoutePlace = Pick<RouteTarget, 'queue' | 'exchange' | 'exchangeType' | 'routingKey' | 'priority'>

/** A route taken apart. */
export interface ReadRoute {
  readonly place: RoutePlace
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
export function readRoute(target: RouteTarget, what: string): ReadRoute {
  const { queue, exchange, exchangeType, routingKey, priority, deliveryMode, ...rest } = target
  const options: Record<string, unknown> = {}
  if (deliveryMode !== undefined) options['persistent'] = isPersistent(deliveryMode)
  for (const [name, value] of Object.entries(rest)) options[CELERY_NAMES.get(name) ?? name] = value
  checkRouteOptions(options, what)
  return {
    place: { queue, exchange, exchangeType, routingKey, priority },
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
export function withRouteOptions(
  call: CallOptions,
  own: TaskOptions,
  route: CallOptions | undefined,
): CallOptions {
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

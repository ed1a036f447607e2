import type { RouteFunction } from '../config/routing-settings.js'
import { asRouteFunction } from '../config/value/routes.js'
import { ConfigError } from '../errors/errors.js'
import { loadExport } from './load-export.js'

/**
 * The router that a path of `taskRoutes` names: `./routers.js:route`, or `shop.routers.Router` as Python writes it. A class with
 * `routeForTask` is instantiated.
 *
 * @throws {@link ConfigError} for a module that does not load, or has no such router.
 * @source Celery 5.7, `celery/app/routes.py`, `expand_router_string`.
 */
export async function loadRouter(path: string): Promise<RouteFunction> {
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

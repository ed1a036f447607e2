import { ConfigError } from '../../errors/errors.js'
import { shown } from '../../util/shown.js'

/** How a worker runs tasks. */
export type PoolName = 'async' | 'threads' | 'processes' | 'solo'

/** A pool by name; `prefork` is Celery's name of `processes`, and `gevent` and `eventlet` mean `async`. */
export type PoolInput = PoolName | 'prefork' | 'gevent' | 'eventlet'

const POOLS: ReadonlyMap<unknown, PoolName> = new Map<unknown, PoolName>([
  ['async', 'async'],
  ['gevent', 'async'],
  ['eventlet', 'async'],
  ['threads', 'threads'],
  ['processes', 'processes'],
  ['prefork', 'processes'],
  ['solo', 'solo'],
])

/** Reads the name of a pool. */
export function readPool(value: unknown, name: string): PoolName {
  const pool = POOLS.get(value)
  if (pool !== undefined) return pool
  throw new ConfigError(
    `expected ${name} to be "async", "threads", "processes" (or "prefork") or "solo", got: ${shown(value)}`,
  )
}

/** Reads a concurrency; `auto` and 0 leave it to the pool. */
export function readConcurrency(value: unknown, name: string): number | undefined {
  const count = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
  if (count === 'auto' || count === 0) return undefined
  if (typeof count === 'number' && Number.isInteger(count) && count > 0) return count
  throw new ConfigError(`expected ${name} to be a positive integer or "auto", got: ${shown(value)}`)
}

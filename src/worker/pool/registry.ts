import { ConfigError } from '../../errors/errors.js'
import { adviceOn } from '../../util/suggest.js'
import { AsyncPool } from './async.js'
import type { Pool, PoolHost } from './pool.js'

/** Makes a pool that is not started yet. */
export type PoolFactory = (host: PoolHost, concurrency: number) => Pool

/** Pools by the names that `--pool` takes. */
export class PoolRegistry {
  readonly #factories = new Map<string, PoolFactory>()

  /** Names that can be opened, aliases included. */
  get names(): readonly string[] {
    return [...this.#factories.keys()]
  }

  /** Add a pool under one name and its aliases; a name that is there already goes to the newcomer. */
  register(names: readonly string[], factory: PoolFactory): this {
    for (const name of names) this.#factories.set(name, factory)
    return this
  }

  /** Whether there is a pool of this name. */
  has(name: string): boolean {
    return this.#factories.has(name)
  }

  /** @throws {@link ConfigError} when there is no pool of this name. */
  check(name: string): void {
    if (!this.has(name)) throw unknownPool(name, this.names)
  }

  /** A pool, not started yet. @throws {@link ConfigError} for an unknown name. */
  open(name: string, host: PoolHost, concurrency: number): Pool {
    const factory = this.#factories.get(name)
    if (factory === undefined) throw unknownPool(name, this.names)
    return factory(host, concurrency)
  }
}

/** The pools of this package. `eventlet` and `gevent` stand for the event loop, which is what they gave Python. */
export const pools: PoolRegistry = new PoolRegistry()
  .register(
    ['async', 'eventlet', 'gevent'],
    (host, concurrency) => new AsyncPool(host, { name: 'async', concurrency }),
  )
  .register(['solo'], (host) => new AsyncPool(host, { name: 'solo', concurrency: 1 }))

function unknownPool(name: string, names: readonly string[]): ConfigError {
  return new ConfigError(`no pool is called "${name}"; ${adviceOn(name, names)}`)
}

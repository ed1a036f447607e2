import type { Config } from '../config/config.js'
import type { LetterLimits } from '../control/expire-dead-letters.js'
import { ConfigError } from '../errors/errors.js'
import { toMs } from '../util/duration.js'
import { nodeName } from './node-name.js'
import { choosePool } from './pool/choose-pool.js'
import type { WorkerOptions } from './worker-options.js'

/** Everything a worker decides by: the app's settings, and what the worker's options make of them. */
export interface WorkerSettings extends Config {
  /** Node name, `name@host`. */
  readonly hostname: string
  readonly pool: string
  /** How the pool differs from the one that was asked for. */
  readonly poolWarning: string | undefined
  readonly concurrency: number
  /** `Infinity` sets no bound. */
  readonly prefetchMultiplier: number
  readonly deadLetters: LetterLimits
  readonly purge: boolean
}

/** Resolve settings. @throws {@link ConfigError} for an option out of range or an unknown pool. */
export function resolveSettings(config: Config, options: WorkerOptions = {}): WorkerSettings {
  const { name: pool, warning: poolWarning } = choosePool(options.pool ?? config.workerPool)
  return {
    ...config,
    hostname: nodeName(options.hostname),
    pool,
    poolWarning,
    concurrency: concurrencyOf(config, options, pool),
    prefetchMultiplier: multiplierOf(config, options),
    deadLetters: { expiresMs: config.deadLetterExpiresMs, maxLength: config.deadLetterMaxLength },
    shutdownTimeoutMs: shutdownTimeoutOf(config, options),
    purge: options.purge ?? false,
  }
}

function concurrencyOf(config: Config, options: WorkerOptions, pool: string): number {
  if (pool === 'solo') return 1
  const concurrency = options.concurrency ?? config.workerConcurrency
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new ConfigError(`expected concurrency to be a whole number above 0, got: ${concurrency}`)
  }
  return concurrency
}

function multiplierOf(config: Config, options: WorkerOptions): number {
  if (options.prefetchMultiplier === undefined) {
    return config.workerDisablePrefetch ? 1 : config.workerPrefetchMultiplier
  }
  const multiplier = options.prefetchMultiplier
  if (!(multiplier >= 0)) {
    throw new ConfigError(`expected prefetchMultiplier to be 0 or more, got: ${multiplier}`)
  }
  return multiplier === 0 ? Number.POSITIVE_INFINITY : multiplier
}

function shutdownTimeoutOf(config: Config, options: WorkerOptions): number {
  if (options.shutdownTimeout === undefined) return config.shutdownTimeoutMs
  const timeoutMs = toMs(options.shutdownTimeout, 'shutdownTimeout')
  if (!(timeoutMs >= 0))
    throw new ConfigError(`expected shutdownTimeout to be 0 or more, got: ${timeoutMs} ms`)
  return timeoutMs
}

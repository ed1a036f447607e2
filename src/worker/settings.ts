import type { Config } from '../config/config.js'
import type { LetterLimits } from '../control/expire-dead-letters.js'
import { ConfigError } from '../errors/errors.js'
import { toMs } from '../util/duration.js'
import { nodeName } from './node-name.js'
import { choosePool } from './pool/choose-pool.js'
import type { WorkerOptions } from './worker-options.js'

/** Everything a worker decides by, resolved once from the app's settings and the worker's options. */
export interface WorkerSettings {
  /** Node name, `name@host`. */
  readonly hostname: string
  readonly pool: string
  /** How the pool differs from the one that was asked for. */
  readonly poolWarning: string | undefined
  readonly concurrency: number
  /** `Infinity` sets no bound. */
  readonly prefetchMultiplier: number
  readonly readAheadMs: number
  readonly leaseMs: number
  readonly maxDeliveries: number
  readonly unknownTaskTimeoutMs: number
  readonly deadLetters: LetterLimits
  readonly shutdownTimeoutMs: number
  /** `Infinity` for no limit. */
  readonly blockedLoopLimitMs: number
  readonly purge: boolean
  readonly acksLate: boolean
  readonly acksOnFailure: boolean
  readonly acksOnTimeout: boolean
  readonly ignoreResult: boolean
  readonly storeErrorsEvenIfIgnored: boolean
  readonly trackStarted: boolean
  readonly timeLimitMs: number | undefined
  readonly softTimeLimitMs: number | undefined
  /** 0 keeps results until forgotten. */
  readonly resultTtlMs: number
  /** The same for failures. */
  readonly failureTtlMs: number
  readonly resultExtended: boolean
  /** Whether to try again when the first connection cannot be made. */
  readonly retryOnStartup: boolean
  /** Whether to connect again after a lost connection. */
  readonly reconnect: boolean
  /** Whether to try again too when the broker refuses what the worker declares or consumes. */
  readonly retryRefusals: boolean
  /** Whether late-acknowledged tasks are cancelled when their connection is lost. */
  readonly cancelsOnConnectionLoss: boolean
  /** Tries before giving up; `Infinity` for no limit. */
  readonly maxConnectRetries: number
}

/** Resolve settings. @throws {@link ConfigError} for an option out of range or an unknown pool. */
export function resolveSettings(config: Config, options: WorkerOptions = {}): WorkerSettings {
  const { name: pool, warning: poolWarning } = choosePool(options.pool ?? config.workerPool)
  return {
    hostname: nodeName(options.hostname),
    pool,
    poolWarning,
    concurrency: concurrencyOf(config, options, pool),
    prefetchMultiplier: multiplierOf(config, options),
    readAheadMs: config.readAheadMs,
    leaseMs: config.leaseMs,
    maxDeliveries: config.maxDeliveries,
    unknownTaskTimeoutMs: config.unknownTaskTimeoutMs,
    deadLetters: { expiresMs: config.deadLetterExpiresMs, maxLength: config.deadLetterMaxLength },
    shutdownTimeoutMs: shutdownTimeoutOf(config, options),
    blockedLoopLimitMs: config.blockedLoopLimitMs,
    purge: options.purge ?? false,
    acksLate: config.taskAcksLate,
    acksOnFailure: config.taskAcksOnFailure,
    acksOnTimeout: config.taskAcksOnTimeout,
    ignoreResult: config.taskIgnoreResult,
    storeErrorsEvenIfIgnored: config.taskStoreErrorsEvenIfIgnored,
    trackStarted: config.taskTrackStarted,
    timeLimitMs: config.taskTimeLimitMs,
    softTimeLimitMs: config.taskSoftTimeLimitMs,
    resultTtlMs: config.resultExpiresMs,
    failureTtlMs: config.resultFailureExpiresMs,
    resultExtended: config.resultExtended,
    retryOnStartup: config.brokerConnectionRetryOnStartup,
    reconnect: config.brokerConnectionRetry,
    retryRefusals: config.brokerChannelErrorRetry,
    cancelsOnConnectionLoss: config.workerCancelLongRunningTasksOnConnectionLoss,
    maxConnectRetries: config.brokerConnectionMaxRetries,
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

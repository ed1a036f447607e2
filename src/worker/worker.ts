import type { Lovage } from '../app/app.js'
import type { ResultBackend } from '../backend/contract.js'
import type { QueueSpec } from '../broker/contract.js'
import { armFailpointsOfEnvironment } from '../config/source/failpoint-environment.js'
import { LovageError } from '../errors/errors.js'
import { guardLogger, type TaskLogger } from '../task/logger.js'
import { backoffMs } from '../util/backoff.js'
import { toError } from '../util/to-error.js'
import { hostOfApp } from './app-host.js'
import { bannerOf, type WorkerBanner } from './banner.js'
import { createCore, type WorkerCore } from './core.js'
import { InterruptibleSleep } from '../util/interruptible-sleep.js'
import { watchProcess } from './process-watch.js'
import { logProcessWarnings } from './process-warnings.js'
import { chooseQueues } from './connection/queue-choice.js'
import { resolveSettings, type WorkerSettings } from './settings.js'
import { Shutdown } from './shutdown.js'
import type { StopOptions, WorkerExit, WorkerOptions } from './worker-options.js'
import { refuseUnknown, type KnownMembers } from '../util/known-members.js'
import { internalsOf } from '../util/internals.js'

/** Where a worker is in its life. */
export type WorkerState = 'new' | 'starting' | 'running' | 'stopping' | 'stopped'

/** What a worker has in hand, for tests and health checks. */
export interface WorkerStatus {
  readonly state: WorkerState
  /** Whether it claims messages now: not while it connects. */
  readonly isClaiming: boolean
  /** Bodies that run. */
  readonly running: number
  /** Deliveries that wait for a slot. */
  readonly buffered: number
  /** Bodies that went on after their hard time limit. */
  readonly leftover: number
}

const RETRY = { firstMs: 500, maxMs: 30_000, jitter: 0.5 }

const WORKER_OPTIONS = {
  concurrency: true,
  queues: true,
  excludeQueues: true,
  hostname: true,
  pool: true,
  prefetchMultiplier: true,
  shutdownTimeout: true,
  logger: true,
  purge: true,
} satisfies KnownMembers<WorkerOptions>

/**
 * Runs the tasks of an app: claims their messages, runs the bodies, stores what came of them.
 *
 * States: new → starting → running → stopping → stopped. `stop` may come at any time, more than once. See
 * `docs/internals/worker-states.md` for the states of one message.
 *
 * @example
 * ```ts
 * await using worker = new Worker(app, { concurrency: 20 })
 * await worker.start()
 * ```
 */
export class Worker {
  /** Node name, `name@host`. */
  readonly hostname: string
  /** Resolves when the worker has ended, however that came. Never rejects. */
  readonly stopped: Promise<WorkerExit>
  readonly #app: Lovage
  readonly #settings: WorkerSettings
  readonly #queues: readonly QueueSpec[]
  readonly #logger: TaskLogger
  readonly #pause: InterruptibleSleep
  readonly #shutdown: Shutdown
  #core: WorkerCore | undefined
  #state: WorkerState = 'new'
  #starting: Promise<void> | undefined
  #stopping: Promise<WorkerExit> | undefined
  #resolveStopped: (exit: WorkerExit) => void = () => undefined

  /** @throws `ConfigError` for options out of range, unknown pools and queues. */
  constructor(app: Lovage, options: WorkerOptions = {}) {
    refuseUnknown(options, WORKER_OPTIONS, 'a worker')
    this.#app = app
    this.#settings = resolveSettings(internalsOf(app).config(), options)
    this.#queues = chooseQueues(internalsOf(app), options)
    this.#logger = guardLogger(options.logger ?? internalsOf(app).logger)
    this.hostname = this.#settings.hostname
    this.#pause = new InterruptibleSleep(internalsOf(app).clock)
    this.#shutdown = new Shutdown(
      internalsOf(app).clock,
      this.#settings.shutdownTimeoutMs,
      internalsOf(app).config().workerSoftShutdownTimeoutMs,
      internalsOf(app).config().workerEnableSoftShutdownOnIdle,
    )
    this.stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve
    })
  }

  /** What the worker is, for a banner; passwords are masked. */
  get banner(): WorkerBanner {
    return bannerOf(this.#app, this.#settings, this.#queues)
  }

  /** What the worker has in hand now. */
  get status(): WorkerStatus {
    const core = this.#core
    return {
      state: this.#state,
      isClaiming: this.#state === 'running' && core?.supervisor.session !== undefined,
      running: core?.underWay.running.size ?? 0,
      buffered: core?.dispatcher.buffered ?? 0,
      leftover: core?.pool.leftover ?? 0,
    }
  }

  /**
   * Connect and begin to claim. Resolves when the first claim can be made, or when the worker was stopped before.
   *
   * A second call returns the first one's promise.
   *
   * @throws when the store cannot be used and trying again is no use, or `brokerConnectionRetryOnStartup` is off.
   */
  start(): Promise<void> {
    this.#starting ??= this.#stopping === undefined ? this.#start() : Promise.resolve()
    return this.#starting
  }

  /** Start, and run until {@link stop} is called elsewhere or the worker cannot go on. */
  async run(): Promise<WorkerExit> {
    try {
      await this.start()
    } catch {
      // The exit says why.
    }
    return this.stopped
  }

  /**
   * Stop claiming, let running tasks finish, give back what does not finish in time, close.
   *
   * A second call with `hard` cuts the wait short.
   */
  stop(options: StopOptions = {}): Promise<WorkerExit> {
    refuseUnknown(options, { hard: true } satisfies KnownMembers<StopOptions>, 'stop')
    if (options.hard === true) this.#shutdown.hurry()
    this.#stopping ??= this.#stop(undefined)
    return this.#stopping
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #start(): Promise<void> {
    this.#state = 'starting'
    this.#unhearWarnings = logProcessWarnings(this.#logger)
    this.#unwatchProcess = watchProcess({
      logger: this.#logger,
      running: () => this.#core?.underWay.running ?? [],
      fail: (run, error) => this.#core?.dispatcher.runner.fail(run, error),
      stop: (error) => (this.#stopping ??= this.#stop(error)),
    })
    const { poolWarning } = this.#settings
    if (poolWarning !== undefined) this.#logger.warn({}, poolWarning)
    internalsOf(this.#app).warnOfInactiveSettings(this.#logger)
    armFailpointsOfEnvironment()
    try {
      await internalsOf(this.#app).loadTaskModules()
      await internalsOf(this.#app).prepareCodecs()
      const backend = await this.#openBackend()
      if (this.#stopping !== undefined) return
      const core = await this.#createCore(backend)
      await this.#firstClaim(core)
    } catch (error) {
      const failure = toError(error)
      this.#stopping ??= this.#stop(failure)
      throw failure
    }
  }

  async #createCore(backend: ResultBackend | undefined): Promise<WorkerCore> {
    const host = hostOfApp(this.#app, this.#logger, backend)
    const core = createCore({
      host,
      settings: this.#settings,
      queues: this.#queues,
      ready: () => this.#ready(),
    })
    this.#core = core
    await core.pool.start()
    if (this.#settings.purge) await this.#purge()
    return core
  }

  /** Resolves with the first claim; a failure after it ends the worker. */
  #firstClaim(core: WorkerCore): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#claimBegan = resolve
      core.supervisor.run().then(resolve, (error: unknown) => {
        reject(toError(error))
        this.#stopping ??= this.#stop(toError(error))
      })
    })
  }

  #claimBegan: () => void = () => undefined
  #unhearWarnings: () => void = () => undefined
  #unwatchProcess: () => void = () => undefined

  #ready(): void {
    if (this.#state === 'starting') {
      this.#state = 'running'
      this.#logger.info({ queues: this.#queues.map((queue) => queue.name) }, `${this.hostname} ready.`)
    } else {
      this.#logger.info({}, 'consumer: Connection to broker re-established')
    }
    this.#claimBegan()
  }

  async #openBackend(): Promise<ResultBackend | undefined> {
    for (let tries = 0; ; tries += 1) {
      try {
        return await internalsOf(this.#app).workerBackend()
      } catch (thrown) {
        const error = toError(thrown)
        const isRetryable =
          error instanceof LovageError && error.retryable && this.#settings.brokerConnectionRetryOnStartup
        if (
          !isRetryable ||
          tries >= this.#settings.brokerConnectionMaxRetries ||
          this.#stopping !== undefined
        )
          throw error
        const delayMs = backoffMs(tries, RETRY)
        this.#logger.error(
          { err: error, delayMs },
          `backend: Cannot connect: ${error.message}. Trying again in ${(delayMs / 1000).toFixed(2)} seconds...`,
        )
        await this.#pause.sleep(delayMs)
      }
    }
  }

  async #purge(): Promise<void> {
    const broker = await internalsOf(this.#app).openBroker()
    try {
      for (const queue of this.#queues) {
        await broker.declare(queue)
        const dropped = await broker.purge(queue.name)
        this.#logger.warn(
          { queue: queue.name, dropped },
          `purge: ${dropped} messages dropped from ${queue.name}`,
        )
      }
    } finally {
      await broker.close()
    }
  }

  async #stop(failure: Error | undefined): Promise<WorkerExit> {
    this.#state = 'stopping'
    this.#pause.end()
    const core = this.#core
    const exit = await this.#shutdown.run(core, this.#logger, failure)
    // A start under way ends by itself now; its failure is its caller's.
    if (failure === undefined) await this.#starting?.catch(() => undefined)
    if (core === undefined && this.#core !== undefined)
      await this.#shutdown.run(this.#core, this.#logger, failure)
    this.#unhearWarnings()
    this.#unwatchProcess()
    this.#state = 'stopped'
    this.#resolveStopped(exit)
    return exit
  }
}

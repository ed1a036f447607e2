import { LovageError } from '../errors/errors.js'
import type { TaskLogger } from '../task/logger.js'
import type { Clock } from '../util/clock.js'
import { withDeadline } from '../util/deadline.js'
import { runSteps, type Step } from '../util/run-steps.js'
import { toError } from '../util/to-error.js'
import type { WorkerCore } from './core.js'
import { InterruptibleSleep } from '../util/interruptible-sleep.js'
import type { WorkerExit } from './worker-options.js'

/** How long bodies that were asked to end may take for it, in milliseconds. */
const ABORT_GRACE_MS = 1_000
/** The same after a second signal. */
const HURRIED_GRACE_MS = 100
/** Longest wait for the store while the worker ends, in milliseconds. */
const STORE_LIMIT_MS = 5_000

/**
 * The phases of a shutdown: stop claiming and give back what has not begun, let bodies finish, ask the rest to end, give
 * back what still runs, close. Leases are renewed until the last hand-back.
 */
export class Shutdown {
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #softMs: number
  readonly #softOnIdle: boolean
  readonly #warmWait: InterruptibleSleep
  readonly #softWait: InterruptibleSleep
  #isHurried = false
  /** Settled when no request is under way that can still bring messages. */
  #stopped: Promise<void> = Promise.resolve()

  /**
   * @param timeoutMs - How long running bodies may go on.
   * @param softMs - How long they may still go on after {@link hurry}.
   * @param softOnIdle - Whether that time is waited out although nothing runs.
   */
  constructor(clock: Clock, timeoutMs: number, softMs = 0, softOnIdle = false) {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    this.#softMs = softMs
    this.#softOnIdle = softOnIdle
    this.#warmWait = new InterruptibleSleep(clock)
    this.#softWait = new InterruptibleSleep(clock)
  }

  /** Wait for no body any more, or only for `softMs`; the second call ends that wait, too. */
  hurry(): void {
    if (this.#isHurried || this.#softMs === 0) this.#softWait.end()
    this.#isHurried = true
    this.#warmWait.end()
  }

  /** Walk through the phases; what goes wrong in one does not keep the next from being tried. Never rejects. */
  async run(
    core: WorkerCore | undefined,
    logger: TaskLogger,
    failure: Error | undefined,
  ): Promise<WorkerExit> {
    const reason = failure === undefined ? 'stopped' : 'failed'
    if (core === undefined) {
      return { reason, ...(failure === undefined ? {} : { error: failure }), interrupted: [], leftover: 0 }
    }
    const error = (await this.#walk(core, logger)) ?? undefined
    const worst = failure ?? error
    return {
      reason,
      ...(worst === undefined ? {} : { error: worst }),
      interrupted: core.dispatcher.runner.interrupted,
      leftover: core.pool.leftover,
    }
  }

  async #walk(core: WorkerCore, logger: TaskLogger): Promise<Error | undefined> {
    const { dispatcher, supervisor, pool, underWay } = core
    const steps: Step[] = [
      {
        name: 'stop claiming',
        run: () => {
          logger.info({ running: underWay.running.size }, 'worker: Warm shutdown: waiting for running tasks')
          this.#stopped = supervisor.stopClaiming().catch((error: unknown) => {
            logger.debug({ err: error }, 'requests for messages could not be ended')
          })
          dispatcher.stop()
        },
      },
      { name: 'let tasks finish', run: () => this.#drain(core, this.#warmWait, this.#timeoutMs) },
      { name: 'let tasks finish after a second signal', run: () => this.#softDrain(core, logger) },
      { name: 'ask the rest to end', run: () => this.#interrupt(core, logger) },
      {
        name: 'give back what still runs',
        run: async () => {
          dispatcher.runner.abandonRunning()
          await this.#limited('giving back', underWay.drained())
        },
      },
      { name: 'leave the dead letters', run: () => this.#limited('a look', core.deadLetterWatch.stop()) },
      { name: 'close connections', run: () => this.#limited('closing', supervisor.close()) },
      { name: 'end the keeper', run: () => core.stopKeeper() },
      { name: 'end the pool', run: () => pool.stop() },
      {
        name: 'end the watches',
        run: () => core.eventLoop.stop(),
      },
    ]
    try {
      await runSteps(steps, (step, error) => {
        logger.error({ err: error, step }, `shutdown: "${step}" failed`)
      })
      return undefined
    } catch (error) {
      return toError(error)
    }
  }

  async #interrupt(core: WorkerCore, logger: TaskLogger): Promise<void> {
    const { dispatcher, underWay } = core
    if (underWay.running.size === 0) return
    const tasks = [...underWay.running].map((run) => `${run.request.task}[${run.request.id}]`)
    logger.warn({ tasks }, `worker: Cold shutdown: ${tasks.length} running tasks go back to their queues`)
    dispatcher.runner.interruptAll()
    const grace = new InterruptibleSleep(this.#clock)
    await Promise.race([
      grace.sleep(this.#isHurried ? HURRIED_GRACE_MS : ABORT_GRACE_MS),
      underWay.idle().finally(() => grace.end()),
    ])
  }

  /** Resolves when nothing runs, the time is up, or the wait is ended. */
  async #drain({ underWay }: WorkerCore, wait: InterruptibleSleep, timeoutMs: number): Promise<void> {
    const done = Promise.all([underWay.drained(), this.#stopped]).then(() => wait.end())
    await Promise.race([wait.sleep(timeoutMs), done])
  }

  async #softDrain(core: WorkerCore, logger: TaskLogger): Promise<void> {
    const running = core.underWay.running.size
    if (!this.#isHurried || this.#softMs === 0 || (running === 0 && !this.#softOnIdle)) return
    logger.warn(
      { running, softMs: this.#softMs },
      `worker: Soft shutdown: ${running} running tasks have ${this.#softMs / 1000}s to end`,
    )
    if (this.#softOnIdle) await this.#softWait.sleep(this.#softMs)
    else await this.#drain(core, this.#softWait, this.#softMs)
  }

  /** A store that does not answer must not keep the process alive. */
  #limited(doing: string, work: Promise<void>): Promise<void> {
    return withDeadline(work, {
      ms: STORE_LIMIT_MS,
      clock: this.#clock,
      late: () => new LovageError(`${doing} took longer than ${STORE_LIMIT_MS} ms`),
    })
  }
}

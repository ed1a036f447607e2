import type { Broker, QueueSpec } from '../broker/contract.js'
import { expireDeadLetters, type LetterLimits } from '../control/expire-dead-letters.js'
import type { TaskLogger } from '../task/logger.js'
import type { Clock } from '../util/clock.js'
import { toError } from '../util/to-error.js'

/** What a {@link DeadLetterWatch} works with. */
export interface DeadLetterWatchParts {
  readonly clock: Clock
  /** By which the letters' age is told. */
  readonly storeClock: Pick<Clock, 'now'>
  readonly logger: TaskLogger
  readonly queues: readonly QueueSpec[]
  readonly limits: LetterLimits
}

const FIRST_AFTER_MS = 60_000
const EVERY_MS = 600_000

/** Drops, now and then, the dead letters of a worker's queues that are too old or too many. */
export class DeadLetterWatch {
  readonly #parts: DeadLetterWatchParts
  #broker: () => Broker | undefined = () => undefined
  #cancel: (() => void) | undefined
  #sweeping: Promise<void> = Promise.resolve()
  #isStopped = false

  constructor(parts: DeadLetterWatchParts) {
    this.#parts = parts
  }

  /**
   * Look in a minute, and then every ten minutes; from the second call on, only change the connection.
   *
   * @param broker - The connection that claims, while it is not lost.
   */
  start(broker: () => Broker | undefined): void {
    this.#broker = broker
    if (this.#cancel === undefined) this.#later(FIRST_AFTER_MS)
  }

  /** Look no more; resolves when a look under way has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel?.()
    await this.#sweeping
  }

  #later(ms: number): void {
    const { clock } = this.#parts
    const sweep = (): void => {
      this.#sweeping = this.#sweep()
      if (!this.#isStopped) this.#later(EVERY_MS)
    }
    this.#cancel = clock.setTimer(ms, sweep, { unref: true })
  }

  /** Never rejects: what fails now is tried again by the next look. */
  async #sweep(): Promise<void> {
    const { storeClock, logger, queues, limits } = this.#parts
    for (const { name } of queues) {
      const present = this.#broker()
      if (this.#isStopped || present === undefined) return
      try {
        const dropped = await expireDeadLetters(present, name, limits, storeClock.now())
        if (dropped > 0)
          logger.warn(
            { queue: name, dropped },
            `${String(dropped)} dead letters of ${name} were too old or too many`,
          )
      } catch (error) {
        logger.debug(
          { err: toError(error), queue: name },
          `the dead letters of ${name} could not be looked at`,
        )
      }
    }
  }
}

import type { Broker } from '../../broker/contract.js'
import { BrokerConnectionError, BrokerError, LovageError } from '../../errors/errors.js'
import { backoffMs } from '../../util/backoff.js'
import { toError } from '../../util/to-error.js'
import type { WorkerHost } from '../host.js'
import { ConsumerSession, type ConsumerSessionParts } from './consumer-session.js'
import { InterruptibleSleep } from '../../util/interruptible-sleep.js'
import type { WorkerSettings } from '../settings.js'

/** What a {@link Supervisor} works with. */
export interface SupervisorParts {
  readonly host: WorkerHost
  readonly settings: WorkerSettings
  /** The first connection is there before the keeper, which needs to know what it can do. */
  readonly sessionParts: (broker: Broker) => ConsumerSessionParts
  /** Called each time that claims begin. */
  readonly ready: (session: ConsumerSession) => void
}

// The longest pause bounds how long nothing is claimed after an outage, however long that was.
const RECONNECT = { firstMs: 500, maxMs: 5_000, jitter: 0.5 }
const INSPECT_EVERY_MS = 15_000

/**
 * Keeps one session claiming: connects, waits out failures with growing pauses, and builds everything from nothing
 * after each.
 *
 * States: connecting → claiming → (lost → connecting …) → stopped; connecting → failed where trying again is no use.
 * Sessions that were lost stay until their claims are settled.
 */
export class Supervisor {
  readonly #parts: SupervisorParts
  readonly #pause: InterruptibleSleep
  readonly #retired = new Set<ConsumerSession>()
  #session: ConsumerSession | undefined
  #isStopping = false
  #hasConnected = false
  /** Since the last good fetch. */
  #tries = 0
  #cancelInspection: (() => void) | undefined

  constructor(parts: SupervisorParts) {
    this.#parts = parts
    this.#pause = new InterruptibleSleep(parts.host.clock)
  }

  /** The session that claims now, if any. */
  get session(): ConsumerSession | undefined {
    return this.#session
  }

  /** Keep claiming until {@link stopClaiming}. Rejects when there is no way to go on. */
  async run(): Promise<void> {
    this.#inspectLater()
    while (!this.#isStopping) {
      const session = await this.#connect()
      if (session === undefined) return
      try {
        await session.claim()
        return
      } catch (error) {
        this.#lost(session, toError(error))
        if (!this.#parts.settings.brokerConnectionRetry) throw error
        await this.#rest(session, toError(error))
      }
    }
  }

  /** Claim no more; {@link run} resolves. Resolves when no request is under way that can still bring messages. */
  async stopClaiming(): Promise<void> {
    this.#isStopping = true
    this.#cancelInspection?.()
    this.#pause.end()
    await this.#session?.stopClaiming()
  }

  /** Close every session: what is still claimed goes back to its queue. */
  async close(): Promise<void> {
    // Closing waits for the same, and tells what fails.
    this.stopClaiming().catch(() => undefined)
    const sessions = [...this.#retired, ...(this.#session === undefined ? [] : [this.#session])]
    const results = await Promise.allSettled(sessions.map((session) => session.close()))
    for (const result of results) {
      if (result.status === 'rejected') throw toError(result.reason)
    }
  }

  async #connect(): Promise<ConsumerSession | undefined> {
    while (!this.#isStopping) {
      try {
        const session = await this.#open()
        if (session !== undefined) return session
      } catch (error) {
        await this.#connectFailed(toError(error))
      }
    }
    return undefined
  }

  async #open(): Promise<ConsumerSession | undefined> {
    const broker = await this.#parts.host.openBroker()
    try {
      const session = await ConsumerSession.open(broker, this.#parts.sessionParts(broker))
      if (this.#isStopping) {
        await session.close()
        return undefined
      }
      this.#session = session
      this.#hasConnected = true
      for (const old of this.#retired) old.claims.settler.retryNow()
      this.#parts.ready(session)
      return session
    } catch (error) {
      await closeQuietly(broker)
      throw error
    }
  }

  async #connectFailed(error: Error): Promise<void> {
    const { settings } = this.#parts
    const mayRetry = this.#hasConnected
      ? settings.brokerConnectionRetry
      : settings.brokerConnectionRetryOnStartup
    const isRetryable = error instanceof LovageError && error.retryable
    const isRefusal = error instanceof BrokerError && settings.brokerChannelErrorRetry
    if (!mayRetry || !(isRetryable || isRefusal)) throw error
    await this.#waitAgain(error, 'Cannot connect')
  }

  /** A store that opens and then fails is as much down as one that does not open: only a fetch proves it is back. */
  async #rest(session: ConsumerSession, error: Error): Promise<void> {
    if (session.hasFetched) this.#tries = 0
    else await this.#waitAgain(error, 'Cannot claim')
  }

  async #waitAgain(error: Error, what: string): Promise<void> {
    const { settings, host } = this.#parts
    if (this.#isStopping) return
    if (this.#tries >= settings.brokerConnectionMaxRetries) throw error
    const delayMs = backoffMs(this.#tries, RECONNECT)
    this.#tries += 1
    const most = Number.isFinite(settings.brokerConnectionMaxRetries)
      ? `/${settings.brokerConnectionMaxRetries}`
      : ''
    host.logger.error(
      { err: error, attempt: this.#tries, delayMs },
      `consumer: ${what}: ${error.message}. Trying again in ${(delayMs / 1000).toFixed(2)} seconds... (${this.#tries}${most})`,
    )
    await this.#pause.sleep(delayMs)
  }

  #lost(session: ConsumerSession, error: Error): void {
    this.#session = undefined
    this.#parts.host.logger.warn(
      { err: error, running: session.claims.inUse },
      `consumer: Connection to broker lost: ${error.message}. Trying to re-establish the connection...`,
    )
    this.#retire(session)
  }

  #retire(session: ConsumerSession): void {
    this.#retired.add(session)
    // Claims that die with their connection are delivered again, whatever becomes of their runs here.
    if (session.claims.endWithConnection) session.claims.settler.abandon()
    session.retire().then(
      () => this.#retired.delete(session),
      (error: unknown) => {
        this.#retired.delete(session)
        this.#parts.host.logger.debug({ err: error }, 'a lost connection could not be closed')
      },
    )
  }

  #inspectLater(): void {
    const { clock, logger } = this.#parts.host
    const inspect = (): void => {
      const session = this.#session
      const looking = session?.inspect() ?? Promise.resolve()
      looking
        .catch((error: unknown) => {
          if (error instanceof BrokerConnectionError) session?.lose(error)
          else logger.debug({ err: error }, 'the watchdog could not count the queues')
        })
        .finally(() => {
          if (!this.#isStopping) this.#inspectLater()
        })
    }
    this.#cancelInspection = clock.setTimer(INSPECT_EVERY_MS, inspect, { unref: true })
  }
}

async function closeQuietly(broker: Broker): Promise<void> {
  try {
    await broker.close()
  } catch {
    // What made it fail is thrown already.
  }
}

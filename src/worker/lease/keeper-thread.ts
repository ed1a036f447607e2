/**
 * The thread that renews claims, so that a body which blocks the event loop keeps its message.
 *
 * It opens a broker of its own and does nothing else; it ends when it is told to, or with the process.
 */
import { writeSync } from 'node:fs'
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { parseConnectionUrl, withoutDriverSuffix } from '../../broker/connection-url.js'
import type { Broker } from '../../broker/contract.js'
import type { BrokerModule } from '../../broker/registry.js'
import { ConfigError, UnsupportedError } from '../../errors/errors.js'
import { isRecord } from '../../util/record.js'
import { toError } from '../../util/to-error.js'
import {
  isKeeperStart,
  isToKeeper,
  type FromKeeper,
  type KeeperStart,
  type ToKeeper,
} from './keeper-messages.js'
import { Renewals, renewEveryMs } from '../../broker/lease-keeper.js'
import { monotonicMs } from '../../util/monotonic.js'
import { ClaimBoard } from './claim-board.js'
import { LOOK_EVERY_MS, LoopGuard } from './loop-guard.js'

const STDERR = 2

/** Longest try of a connect or a round of renewals, as a share of the lease. */
const TRIES_IN_A_LEASE = 3

class KeeperThread {
  readonly #port: MessagePort
  readonly #start: KeeperStart
  readonly #renewals = new Renewals()
  #broker: Broker | undefined
  #isStopped = false
  readonly #looks: NodeJS.Timeout | undefined
  /** The next round does not wait for its time. */
  #roundIsDue = false

  constructor(port: MessagePort, start: KeeperStart) {
    this.#port = port
    this.#start = start
    port.on('message', (message: unknown) => {
      if (isToKeeper(message)) this.#receive(message)
    })
    this.#looks = this.#watchLoop()
  }

  /** Renew for as long as the thread lives. Never rejects. */
  async run(): Promise<void> {
    const everyMs = renewEveryMs(this.#start.leaseMs)
    while (!this.#isStopped) {
      this.#roundIsDue = false
      const waitMs = (await this.#round()) ? everyMs : Math.min(1000, everyMs / 2)
      await this.#pause(waitMs)
    }
    clearInterval(this.#looks)
    await this.#close()
    this.#port.close()
  }

  #watchLoop(): NodeJS.Timeout | undefined {
    const { board: start } = this.#start
    if (start === undefined) return undefined
    const board = new ClaimBoard(start.memory)
    const guard = new LoopGuard({
      view: () => board.view(),
      nowMs: monotonicMs,
      limitMs: start.limitMs,
      // Cannot reject: it catches.
      takeBack: () => void this.#takeBack(board),
      end: endProcess,
    })
    return setInterval(() => {
      guard.look()
    }, LOOK_EVERY_MS)
  }

  /** Give back what has not started: the thread that claimed it cannot. */
  async #takeBack(board: ClaimBoard): Promise<void> {
    const claims = this.#renewals.size === 0 ? undefined : board.takeBack()
    if (claims === undefined) return
    try {
      const { leases } = await this.#connected()
      if (leases !== undefined) await this.#renewals.takeBack(leases, this.#start.leaseMs, claims)
    } catch (error) {
      this.#tell({ kind: 'trouble', message: toError(error).message, nextMs: 0 })
    }
  }

  #receive(message: ToKeeper): void {
    switch (message.kind) {
      case 'hold':
        this.#renewals.hold(message.holder)
        return
      case 'release':
        this.#renewals.release(message.holder)
        return
      case 'tags':
        this.#renewals.change(message.holder, message)
        return
      case 'reconcile':
        this.#renewals.reconcile(message.holder, message.tags)
        this.#roundIsDue = true
        this.#wake()
        return
      case 'stop':
        this.#isStopped = true
        this.#wake()
    }
  }

  async #round(): Promise<boolean> {
    const { leaseMs } = this.#start
    // A store that no session uses any more may be gone.
    if (this.#renewals.size === 0) return true
    try {
      const { leases } = await this.#connected()
      if (leases === undefined) throw new UnsupportedError('the broker has no leases to renew')
      await this.#renewals.round(leases, leaseMs, {
        lost: (holder, tags) => {
          this.#tell({ kind: 'lost', holder, tags })
        },
      })
      return true
    } catch (error) {
      this.#tell({ kind: 'trouble', message: toError(error).message, nextMs: Math.min(1000, leaseMs / 6) })
      await this.#close()
      return false
    }
  }

  async #connected(): Promise<Broker> {
    if (this.#broker !== undefined) return this.#broker
    const { moduleUrl, brokerUrl, hasDriverSuffix, transportOptions, leaseMs } = this.#start
    const module: unknown = await import(moduleUrl)
    if (!isBrokerModule(module)) throw new ConfigError(`${moduleUrl} exports no createBroker`)
    const url = parseConnectionUrl(brokerUrl)
    const stripped = hasDriverSuffix ? (withoutDriverSuffix(url) ?? url) : url
    const broker = module.createBroker(stripped, { transportOptions, autoMigrate: false })
    try {
      await broker.connect(AbortSignal.timeout(Math.max(1000, Math.ceil(leaseMs / TRIES_IN_A_LEASE))))
    } catch (error) {
      await broker.close()
      throw error
    }
    this.#broker = broker
    this.#tell({ kind: 'ready' })
    return broker
  }

  async #close(): Promise<void> {
    const broker = this.#broker
    this.#broker = undefined
    try {
      await broker?.close()
    } catch {
      // The connection is gone or going; the next round opens another.
    }
  }

  #tell(message: FromKeeper): void {
    this.#port.postMessage(message)
  }

  #pause(ms: number): Promise<void> {
    if (this.#isStopped || this.#roundIsDue) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake(), ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #wake: () => void = () => undefined
}

/** No signal reaches a thread that is blocked, and none but this one ends it. */
function endProcess(reason: string): void {
  writeSync(STDERR, `lovage: ${reason}. The process ends: its tasks are delivered again.\n`)
  process.kill(process.pid, 'SIGKILL')
}

function isBrokerModule(value: unknown): value is BrokerModule {
  return isRecord(value) && typeof value['createBroker'] === 'function'
}

if (parentPort !== null && isKeeperStart(workerData)) {
  // Never rejects.
  void new KeeperThread(parentPort, workerData).run()
}

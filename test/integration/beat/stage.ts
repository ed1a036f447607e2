import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { createBroker } from '../../../brokers/memory/index.js'
import type { EntryInput } from '../../../src/beat/entry.js'
import { Beat, type TickReport } from '../../../src/beat/index.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import type { Broker } from '../../../src/broker/contract.js'
import { Lovage, type Clock, type ConfigInput } from '../../../src/index.js'
import type { TaskLogger } from '../../../src/task/logger.js'
import { ManualClock } from '../../../src/testing/index.js'
import { behind, type Network } from './cut-network.js'
import { internalsOf } from '../../../src/util/internals.js'

/** When every test of beat begins. */
export const START_MS: number = Date.UTC(2026, 0, 1)

/** One beat on a store that others share, with a clock and a network of its own. */
export class Station implements Network {
  readonly app: Lovage
  readonly beat: Beat
  /** Its log: level, message and fields. */
  readonly log: LogLine[] = []
  /** What it told of its looks. */
  readonly reports: TickReport[] = []
  /** Whether its store cannot be reached. */
  isCut = false
  #end: Promise<void> = Promise.resolve()
  #isStarted = false

  constructor(
    stage: BeatStage,
    entries: Readonly<Record<string, EntryInput>>,
    settings: ConfigInput,
    skewMs: number,
  ) {
    const clock: Clock = {
      now: () => stage.clock.now() + skewMs,
      setTimer: (ms, fn) => stage.clock.setTimer(ms, fn),
    }
    this.app = new Lovage('shop', { broker: 'stage://', backend: false, ...settings }, { clock })
    this.app.brokers.register({
      schemes: ['stage'],
      load: async () => ({ createBroker: () => behind(this, stage.openStore()) }),
    })
    for (const [name, entry] of Object.entries(entries)) internalsOf(this.app).periodic.add(name, entry)
    this.beat = new Beat(this.app, {
      logger: recorder(this.log),
      onTick: (report) => this.reports.push(report),
    })
  }

  /** Let it run. */
  start(): this {
    this.#end = this.beat.run()
    this.#isStarted = true
    this.#end.catch(() => {
      this.#isStarted = false
    })
    return this
  }

  /** It ends without a word to the store. */
  async kill(): Promise<void> {
    this.isCut = true
    await this.beat.stop()
  }

  /** Whether it runs and has not looked at the schedule yet. */
  get isStarting(): boolean {
    return this.#isStarted && !this.isCut && this.beat.status.lastTickAgeMs === undefined
  }

  /** What ended it, if anything did. */
  get end(): Promise<void> {
    return this.#end
  }
}

/** One line of a beat's log. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: object
}

function recorder(lines: LogLine[]): TaskLogger {
  const at =
    (level: LogLine['level']) =>
    (fields: object, message: string): void => {
      lines.push({ level, message, fields })
    }
  const logger: TaskLogger = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => logger,
  }
  return logger
}

/** A store in memory, a clock that stands still, and beats. */
export class BeatStage {
  readonly clock: ManualClock = new ManualClock(START_MS)
  readonly #storeClock: Clock
  #url = parseConnectionUrl(`memory://${randomUUID()}`)
  readonly #stations: Station[] = []
  /** By how much the clock of the store is wrong. */
  storeSkewMs = 0

  constructor() {
    this.#storeClock = {
      now: () => this.clock.now() + this.storeSkewMs,
      setTimer: (ms, fn) => this.clock.setTimer(ms, fn),
    }
  }

  /** Another connection to the store. */
  openStore(): Broker {
    return createBroker(this.#url, { clock: this.#storeClock })
  }

  /** The store is empty from the next connection on, as one that kept nothing over a restart. */
  loseStore(): void {
    this.#url = parseConnectionUrl(`memory://${randomUUID()}`)
  }

  /** A beat that declares these entries; not started. */
  station(entries: Readonly<Record<string, EntryInput>>, settings: ConfigInput = {}, skewMs = 0): Station {
    const station = new Station(this, entries, settings, skewMs)
    this.#stations.push(station)
    return station
  }

  /** Messages sent so far: entry, seconds since the start that it was due, and id. */
  async sent(queue = 'celery'): Promise<readonly { entry: string; due: number; id: string; app: unknown }[]> {
    const broker = this.openStore()
    await broker.declare({ name: queue, lifetime: 'durable', bindings: [] })
    const consumer = await broker.consume([queue], { credit: 10_000, leaseMs: 60_000 })
    const deliveries = await consumer.fetch(10_000, { waitMs: 0, signal: new AbortController().signal })
    await consumer.ack(deliveries)
    await consumer.close()
    return deliveries.map(({ message: { headers } }) => ({
      entry: String(headers['periodic_task_name']),
      due: (Date.parse(String(headers['periodic_task_due'])) - START_MS) / 1000,
      id: String(headers['id']),
      app: headers,
    }))
  }

  /** Instants of one entry that were sent, in seconds since the start. */
  async dues(entry: string): Promise<readonly number[]> {
    return (await this.sent()).filter((one) => one.entry === entry).map(({ due }) => due)
  }

  /** Move on in steps, so that everything in between has its turn. */
  async pass(seconds: number, step = 1): Promise<void> {
    // Modules are loaded at the first start, which no clock of ours measures.
    const isStarting = (): boolean => this.#stations.some((station) => station.isStarting)
    while (isStarting()) await setImmediate()
    for (let passed = 0; passed < seconds; passed += step) await this.clock.advance(step)
  }

  async close(): Promise<void> {
    await Promise.all(this.#stations.map(({ beat }) => beat.stop()))
    await Promise.all(this.#stations.map(({ app }) => app.close()))
  }
}

import { randomUUID } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { eventually } from '../../conformance/time.js'
import type { TaskRecord } from '../../../src/backend/contract.js'
import type { Broker, Delivery } from '../../../src/broker/contract.js'
import { Lovage, type TaskLogger } from '../../../src/index.js'
import type { ConfigInput } from '../../../src/config/config.js'
import type { Clock } from '../../../src/util/clock.js'
import { Worker, type WorkerOptions } from '../../../src/worker/index.js'
import { internalsOf } from '../../../src/util/internals.js'
import type { ManualClock } from '../../support/manual-clock.js'

/** One line that was logged. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly fields: Record<string, unknown>
  readonly message: string
}

/** A logger that keeps its lines. */
export class LogBook implements TaskLogger {
  readonly lines: LogLine[] = []
  readonly #bound: Record<string, unknown>

  constructor(bound: Record<string, unknown> = {}, lines: LogLine[] = []) {
    this.#bound = bound
    this.lines = lines
  }

  debug(fields: object, message: string): void {
    this.lines.push({ level: 'debug', fields: { ...this.#bound, ...fields }, message })
  }

  info(fields: object, message: string): void {
    this.lines.push({ level: 'info', fields: { ...this.#bound, ...fields }, message })
  }

  warn(fields: object, message: string): void {
    this.lines.push({ level: 'warn', fields: { ...this.#bound, ...fields }, message })
  }

  error(fields: object, message: string): void {
    this.lines.push({ level: 'error', fields: { ...this.#bound, ...fields }, message })
  }

  child(fields: Record<string, unknown>): TaskLogger {
    return new LogBook({ ...this.#bound, ...fields }, this.lines)
  }

  /** The first line that matches. */
  find(pattern: RegExp): LogLine | undefined {
    return this.lines.find((line) => pattern.test(line.message))
  }
}

/** An app on a memory store of its own, with a worker and whatever else a test opens; `await using` ends all of it. */
export class Bench implements AsyncDisposable {
  readonly log: LogBook = new LogBook()
  readonly app: Lovage
  readonly #workers: Worker[] = []
  readonly #brokers: Broker[] = []

  constructor(input: ConfigInput = {}, clock?: Clock) {
    const url = `memory://${randomUUID()}`
    this.app = new Lovage(
      'shop',
      { broker: url, backend: url, ...input },
      clock === undefined ? {} : { clock },
    )
    internalsOf(this.app).logger = this.log
  }

  /** A worker that is not started. */
  worker(options: WorkerOptions = {}): Worker {
    const worker = new Worker(this.app, options)
    this.#workers.push(worker)
    return worker
  }

  /** A worker that claims. */
  async start(options: WorkerOptions = {}): Promise<Worker> {
    const worker = this.worker(options)
    await worker.start()
    return worker
  }

  /** A connection of the test's own. */
  async broker(): Promise<Broker> {
    const broker = await internalsOf(this.app).openBroker()
    this.#brokers.push(broker)
    return broker
  }

  /** The record of a task, when it is in one of these states. */
  async record(id: string, ...states: readonly string[]): Promise<TaskRecord> {
    const backend = await internalsOf(this.app).resultBackend()
    return eventually(async () => {
      const found = (await backend.load([id])).get(id)
      return found !== undefined && (states.length === 0 || states.includes(found.state)) ? found : undefined
    })
  }

  /** The record of a task as it is now. */
  async recordNow(id: string): Promise<TaskRecord | undefined> {
    const backend = await internalsOf(this.app).resultBackend()
    return (await backend.load([id])).get(id)
  }

  /** Claim what waits in a queue and acknowledge it. */
  async take(queue = 'celery', max = 100): Promise<readonly Delivery[]> {
    const broker = await this.broker()
    await broker.declare({ name: queue, lifetime: 'durable', bindings: [] })
    const consumer = await broker.consume([queue], { credit: max, leaseMs: 30_000 })
    const deliveries = await consumer.fetch(max, { waitMs: 0, signal: new AbortController().signal })
    await consumer.ack(deliveries)
    await consumer.close()
    return deliveries
  }

  /** Messages that are ready in a queue. */
  async depth(queue = 'celery'): Promise<number> {
    const broker = await internalsOf(this.app).broker()
    return broker.depth(queue)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.#workers) await worker.stop({ hard: true })
    for (const broker of this.#brokers) await broker.close()
    await this.app.close()
  }
}

/** A promise that a test settles. */
export function gate<Value = void>(): {
  readonly open: (value: Value) => void
  readonly passed: Promise<Value>
} {
  let open: (value: Value) => void = () => undefined
  const passed = new Promise<Value>((resolve) => {
    open = resolve
  })
  return { open, passed }
}

/** Let everything happen that needs no time: some turns of the event loop. */
export async function turns(count = 50): Promise<void> {
  for (let done = 0; done < count; done += 1) await turn()
}

/** Move a clock until `work` has settled; its error, if any, and how long it took by that clock, in milliseconds. */
export async function timedBy(
  clock: ManualClock,
  work: Promise<unknown>,
): Promise<{ readonly error: unknown; readonly ms: number }> {
  const startMs = clock.now()
  let end: { readonly error: unknown } | undefined
  work.then(
    () => (end = { error: undefined }),
    (error: unknown) => (end = { error }),
  )
  await turns()
  for (; end === undefined; await turns(10)) clock.advance(10)
  return { ...end, ms: clock.now() - startMs }
}

import { randomUUID } from 'node:crypto'

import type { ConfigInput } from '../../../src/config/config.js'
import type { Message } from '../../../src/message/message.js'
import { Lovage } from '../../../src/index.js'
import { startWorker } from '../../../src/testing/index.js'
import type { Worker, WorkerOptions } from '../../../src/worker/index.js'
import { tempFolder, type TempFolder } from '../../support/temp.js'
import { LogBook } from '../../unit/worker/harness.js'
import { internalsOf } from '../../../src/util/internals.js'

/** Where the messages of a stage wait. */
export type Store = 'memory' | 'sqlite'

/** An app on a store of its own, with its workers and its log; `await using` ends all of it. */
export class Stage implements AsyncDisposable {
  readonly app: Lovage
  readonly log: LogBook = new LogBook()
  /** URL of its broker and results, for other apps. */
  readonly url: string
  readonly #folder: TempFolder | undefined
  readonly #workers: Worker[] = []

  private constructor(app: Lovage, url: string, folder: TempFolder | undefined) {
    this.app = app
    internalsOf(this.app).logger = this.log
    this.url = url
    this.#folder = folder
  }

  /** Set up a stage; settings win over the store's own. */
  static async open(store: Store, settings: ConfigInput = {}): Promise<Stage> {
    const folder = store === 'sqlite' ? await tempFolder('feature') : undefined
    const url = folder === undefined ? `memory://${randomUUID()}` : `sqlite:///${folder.file('q.sqlite')}`
    return new Stage(new Lovage('shop', { broker: url, backend: url, ...settings }), url, folder)
  }

  /** A worker that claims. */
  async work(options: WorkerOptions = {}): Promise<Worker> {
    const worker = await startWorker(this.app, options)
    this.#workers.push(worker)
    return worker
  }

  /** Messages that are ready in a queue. */
  async depth(queue: string): Promise<number> {
    const broker = await internalsOf(this.app).broker()
    return broker.depth(queue)
  }

  /** The messages that are ready in a queue, as the store has them; they stay there. */
  async peek(queue: string): Promise<readonly Message[]> {
    const broker = await internalsOf(this.app).openBroker()
    const consumer = await broker.consume([queue], { credit: 100, leaseMs: 30_000 })
    const deliveries = await consumer.fetch(100, { waitMs: 0, signal: new AbortController().signal })
    await consumer.close()
    await broker.close()
    return deliveries.map(({ message }) => message)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.#workers) await worker.stop({ hard: true })
    await this.app.close()
    await this.#folder?.remove()
  }
}

import { BackendConnectionError, BackendError, LovageError } from '../errors/errors.js'
import { systemClock } from '../util/clock.js'
import type { Clock } from '../util/clock.js'
import { withDeadline } from '../util/deadline.js'
import { Lifecycle } from '../util/lifecycle.js'
import type {
  ChordStore,
  GroupStore,
  KeepOptions,
  OneStepResults,
  ResultBackend,
  TaskRecord,
} from './contract.js'

/** How long a guarded backend waits for its driver. */
export interface BackendGuardOptions {
  /**
   * Longest connect, in milliseconds. It may include a migration.
   *
   * @defaultValue 30,000
   */
  readonly connectTimeoutMs?: number
  /**
   * Longest wait for any other answer, in milliseconds.
   *
   * @defaultValue 30,000
   */
  readonly answerTimeoutMs?: number
  /**
   * Where time comes from.
   *
   * @defaultValue the machine's clock
   */
  readonly clock?: Clock
}

/**
 * A backend that keeps what a driver may forget: it connects once, closes once, is not used before or after, and throws
 * errors of ours only. Optional parts are there exactly when the driver has them.
 */
export function guardBackend(backend: ResultBackend, options: BackendGuardOptions = {}): ResultBackend {
  return backend instanceof GuardedBackend ? backend : new GuardedBackend(backend, options)
}

class GuardedBackend implements ResultBackend {
  readonly name: string
  readonly shared: boolean
  readonly watchesQuickly: boolean
  readonly maxIdLength?: number
  readonly watch?: NonNullable<ResultBackend['watch']>
  readonly cleanup?: () => Promise<number>
  readonly replyTo?: () => Promise<string>
  readonly groups?: GroupStore
  readonly chords?: ChordStore
  readonly #inner: ResultBackend
  readonly #life: Lifecycle
  readonly #answerTimeoutMs: number
  readonly #clock: Clock

  constructor(inner: ResultBackend, options: BackendGuardOptions) {
    this.#clock = options.clock ?? systemClock
    this.#answerTimeoutMs = options.answerTimeoutMs ?? 30_000
    this.#inner = inner
    this.name = inner.name
    this.shared = inner.shared
    this.watchesQuickly = inner.watchesQuickly === true
    if (inner.maxIdLength !== undefined) this.maxIdLength = inner.maxIdLength
    this.#life = new Lifecycle({
      what: `result backend "${inner.name}"`,
      connect: (signal) => typed('connect', () => inner.connect(signal)),
      close: () => typed('close', () => inner.close()),
      connectTimeoutMs: options.connectTimeoutMs ?? 30_000,
      clock: this.#clock,
      refused: (message) => new BackendError(message),
      late: (message) => new BackendConnectionError(message),
    })
    // eslint-disable-next-line @typescript-eslint/unbound-method -- both are called with their owner below
    const { watch, cleanup, replyTo } = inner
    if (watch !== undefined) {
      this.watch = (taskIds, changed) => this.#open('watch', () => watch.call(inner, taskIds, changed))
    }
    if (replyTo !== undefined)
      this.replyTo = () => this.#open('listen for results', () => replyTo.call(inner))
    if (cleanup !== undefined) this.cleanup = () => this.#open('cleanup', () => cleanup.call(inner))
    if (inner.groups !== undefined) this.groups = this.#guardGroups(inner.groups)
    if (inner.chords !== undefined) this.chords = this.#guardChords(inner.chords)
  }

  get oneStep(): OneStepResults | undefined {
    return this.#inner.oneStep
  }

  connect(signal: AbortSignal): Promise<void> {
    return this.#life.connect(signal)
  }

  async store(records: readonly TaskRecord[], options: KeepOptions): Promise<void> {
    if (records.length > 0) await this.#open('store', () => this.#inner.store(records, options))
  }

  async load(taskIds: readonly string[]): Promise<ReadonlyMap<string, TaskRecord>> {
    return taskIds.length === 0 ? new Map() : this.#open('load', () => this.#inner.load(taskIds))
  }

  async forget(taskIds: readonly string[]): Promise<void> {
    if (taskIds.length > 0) await this.#open('forget', () => this.#inner.forget(taskIds))
  }

  close(): Promise<void> {
    return this.#life.close()
  }

  #guardGroups(inner: GroupStore): GroupStore {
    return {
      save: (id, tuple, options) => this.#open('saving a group', () => inner.save(id, tuple, options)),
      load: (id) => this.#open('loading a group', () => inner.load(id)),
      forget: (id) => this.#open('forgetting a group', () => inner.forget(id)),
    }
  }

  #guardChords(inner: ChordStore): ChordStore {
    return {
      open: (id, size, options) => this.#open('opening a chord', () => inner.open(id, size, options)),
      arrive: (id, record, index) => this.#open('counting a chord', () => inner.arrive(id, record, index)),
      collect: (id) => this.#open('collecting a chord', () => inner.collect(id)),
      discard: (id) => this.#open('discarding a chord', () => inner.discard(id)),
    }
  }

  async #open<Value>(doing: string, work: () => Promise<Value>): Promise<Value> {
    this.#life.assertOpen()
    const ms = this.#answerTimeoutMs
    const late = (): Error =>
      new BackendConnectionError(`${doing}: "${this.name}" did not answer within ${ms} ms`)
    return withDeadline(typed(doing, work), { ms, clock: this.#clock, late })
  }
}

async function typed<Value>(doing: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof LovageError) throw error
    const message = error instanceof Error ? error.message : String(error)
    throw new BackendError(`${doing} failed: ${message}`, { cause: error })
  }
}

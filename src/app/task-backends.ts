import type {
  ChordStore,
  GroupStore,
  KeepOptions,
  RecordWatch,
  ResultBackend,
  TaskRecord,
} from '../backend/contract.js'
import { ConfigError } from '../errors/errors.js'
import type { ResultSource } from '../result/source.js'
import type { TaskDefinition } from '../task/definition.js'
import { maskUrl } from '../util/mask-url.js'
import type { Stores } from './stores.js'

/** The result backends that tasks name as their own, each opened once. */
export class TaskBackends {
  readonly #stores: Stores
  readonly #opened = new Map<string, Promise<ResultBackend>>()

  constructor(stores: Stores) {
    this.#stores = stores
  }

  /**
   * The connected backend at this URL. A failed attempt is not kept.
   *
   * @throws {@link ConfigError} for a backend that sends results to callers: they listen at the app's.
   */
  async at(url: string): Promise<ResultBackend> {
    if (/^(rpc|amqp|amqps|pyamqp):/.test(url)) {
      throw new ConfigError(`expected the backend of a task to keep results, got: ${maskUrl(url)}`)
    }
    const opening = this.#opened.get(url) ?? this.#stores.openBackendAt(url)
    this.#opened.set(url, opening)
    try {
      return await opening
    } catch (error) {
      if (this.#opened.get(url) === opening) this.#opened.delete(url)
      throw error
    }
  }

  /** Where the results of a task are read: at the app, or at the backend that it names. */
  sourceOf(app: ResultSource, task: TaskDefinition | undefined): ResultSource {
    const url = task?.options.backend
    if (url === undefined) return app
    return { clock: app.clock, toError: (record) => app.toError(record), resultBackend: () => this.at(url) }
  }

  /**
   * What a worker stores to: the app's backend, or one that sends the records of tasks with a backend of their own there.
   * Those are opened, so that a wrong URL is known before the first result.
   */
  async routed(
    usual: ResultBackend | undefined,
    tasks: Iterable<TaskDefinition>,
  ): Promise<ResultBackend | undefined> {
    const urls = new Set([...tasks].flatMap(({ options: { backend } }) => backend ?? []))
    if (urls.size === 0) return usual
    await Promise.all([...urls].map((url) => this.at(url)))
    return new RoutedBackend(usual, this)
  }

  /** Close all that were opened. */
  async close(): Promise<void> {
    const opened = [...this.#opened.values()]
    this.#opened.clear()
    await Promise.all(opened.map(async (opening) => (await opening.catch(() => undefined))?.close()))
  }
}

/** Stores each record where its task wants it; all else is the usual backend's. */
class RoutedBackend implements ResultBackend {
  readonly name: string
  readonly shared: boolean
  readonly watch?: (taskIds: readonly string[], changed: () => void) => Promise<RecordWatch>
  readonly groups?: GroupStore
  readonly chords?: ChordStore
  readonly #usual: ResultBackend | undefined
  readonly #own: TaskBackends

  constructor(usual: ResultBackend | undefined, own: TaskBackends) {
    this.#usual = usual
    this.#own = own
    this.name = usual?.name ?? 'backends of tasks'
    this.shared = usual?.shared ?? true
    if (usual?.watch !== undefined) this.watch = usual.watch.bind(usual)
    if (usual?.groups !== undefined) this.groups = usual.groups
    if (usual?.chords !== undefined) this.chords = usual.chords
  }

  get maxIdLength(): number {
    return this.#usual?.maxIdLength ?? Number.POSITIVE_INFINITY
  }

  async connect(signal: AbortSignal): Promise<void> {
    await this.#usual?.connect(signal)
  }

  async store(records: readonly TaskRecord[], options: KeepOptions): Promise<void> {
    const urls = [...new Set(records.map(({ ownBackend }) => ownBackend))]
    await Promise.all(
      urls.map(async (url) => {
        const some = records.filter(({ ownBackend }) => ownBackend === url)
        const backend = url === undefined ? this.#usual : await this.#own.at(url)
        await backend?.store(some, options)
      }),
    )
  }

  async load(taskIds: readonly string[]): Promise<ReadonlyMap<string, TaskRecord>> {
    return (await this.#usual?.load(taskIds)) ?? new Map()
  }

  async forget(taskIds: readonly string[]): Promise<void> {
    await this.#usual?.forget(taskIds)
  }

  /** Whoever opened the parts closes them. */
  close(): Promise<void> {
    return Promise.resolve()
  }
}

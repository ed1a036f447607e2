import type { ResultBackend, TaskRecord } from '../backend/contract.js'
import { BackendRegistry } from '../backend/registry.js'
import type { Broker, QueueSpec } from '../broker/contract.js'
import { BrokerRegistry } from '../broker/registry.js'
import type { Signature } from '../canvas/signature.js'
import type { Config, ConfigInput } from '../config/config.js'
import { readSettingsFile } from '../config/source/settings-file.js'
import { Settings } from '../config/settings.js'
import { ConfigError, MessageError, TaskError } from '../errors/errors.js'
import { Codecs } from '../message/codecs.js'
import { resultCompressor, type ResultCompressor } from '../message/compression/compressed-result.js'
import { decodeTask, peekTask, type TaskPeek } from '../message/decode-task.js'
import { ErrorRegistry, type ErrorClass, type ErrorMapping } from '../message/error/error-registry.js'
import type { Message } from '../message/message.js'
import { rebuildError } from '../message/error/rebuild-error.js'
import { createResultCodec } from '../message/result-codec.js'
import type { AcceptedContent } from '../message/serializer/serializer-registry.js'
import type { TaskMessage } from '../message/task-message.js'
import { AsyncResult } from '../result/async-result.js'
import type { ResultSource } from '../result/source.js'
import type { ScheduleInput } from '../schedule/read-schedule.js'
import type { TaskDefinition } from '../task/definition.js'
import { silentLogger, type TaskLogger } from '../task/logger.js'
import type { Outcome } from '../task/outcome.js'
import type { TaskRequest } from '../task/request.js'
import { addToTrail } from '../task/running-task.js'
import type { PreparedCall, Sender, TaskCall } from '../task/sender.js'
import { optionsOf, type Task, type TaskClass } from '../task/task-class.js'
import type { ApplyOptions, CallableTask } from '../task/task.js'
import { compose, type Around } from '../util/around.js'
import { systemClock, type Clock } from '../util/clock.js'
import { InFlight } from '../util/in-flight.js'
import { inWaves } from '../util/in-waves.js'
import { toError } from '../util/to-error.js'
import { withoutNulls } from '../util/without-nulls.js'
import { makeCallable, type TaskHost, type UntypedCallable } from './callable.js'
import { callerPlace } from './caller.js'
import { defineTask, dottedName, type AnyBody, type DefineOptions, type MethodOwner } from './define.js'
import { createDefineTask, type Definer, type DefineTask } from './definer.js'
import { builtInDrivers } from './drivers.js'
import { EagerRunner } from './eager-runner.js'
import { callerFolder, embeddedUrl } from './embedded.js'
import { AppRuntime } from './runtime.js'
import { Milestone, type AppHook } from './hooks.js'
import { joinSharedTasks } from './shared-tasks.js'
import {
  readSettings,
  readSettingsOfEnvvar,
  type ConfigSourceOptions,
  type SettingsSource,
} from './settings-sources.js'
import {
  addSignature,
  createDefinePeriodic,
  type AddPeriodicOptions,
  type DefinePeriodicTask,
} from './define-periodic.js'
import { BeatControl } from '../beat/beat-control.js'
import { PeriodicTasks } from '../beat/periodic-tasks.js'
import { Stores, uncompressedText, type BrokerLocation } from './stores.js'
import { Connections } from './connections.js'
import { TaskBackends } from './task-backends.js'
import { TaskModules, type DiscoverOptions, type TaskPackages } from './task-modules.js'
import { TaskRegistry } from './task-registry.js'
import { refuseUnknown, type KnownMembers } from '../util/known-members.js'

/** What is given to an app beside its settings. */
export interface LovageOptions {
  /** Where time comes from; tests move it by hand. */
  readonly clock?: Clock
  /** A pino-like logger. Silent when not given: a library does not write to its host's output. */
  readonly logger?: TaskLogger
  /** The base of tasks that name none, as `app.Task`. */
  readonly taskCls?: TaskClass
  /**
   * `false` refuses every use of a task of this app until {@link Lovage.finalize} says that all are defined. A worker and beat
   * call it themselves, once they have loaded the task modules.
   *
   * @defaultValue `true`
   * @source Celery 5.7, `celery/app/base.py`, `Celery(autofinalize=False)`.
   */
  readonly autofinalize?: boolean
}

const APP_OPTIONS = {
  clock: true,
  logger: true,
  taskCls: true,
  autofinalize: true,
} satisfies KnownMembers<LovageOptions>

/** Options of `sendTask`: arguments beside those of a call. */
export interface SendOptions extends ApplyOptions {
  readonly args?: readonly unknown[]
}

/** One run of a task, as the functions around it see it. */
export interface Execution {
  readonly definition: TaskDefinition
  readonly request: TaskRequest
}

/** Functions around publishing and running, in order: context, limits, hooks, tracing. The first is the outermost. */
export interface AroundLists {
  readonly publish: Around<PreparedCall, void>[]
  readonly execute: Around<Execution, Outcome>[]
}

/** Runs one command line of `lovage` with this app in place of the one that `-A` names; resolves with the exit code. */
export type CommandLine = (app: Lovage, argv: readonly string[]) => Promise<number>

let commandLine: CommandLine | undefined

/** Called once by the package's entry. */
export function setCommandLine(run: CommandLine): void {
  commandLine = run
}

/**
 * A Lovage application: its settings, its tasks, and the way to its broker and results.
 *
 * Making one opens nothing and reads no file; connections are opened on first use and end with {@link Lovage.close}.
 *
 * @source Celery 5.7, `celery/app/base.py`, `Celery`.
 */
export class Lovage implements ResultSource {
  /** Name of the app: the first part of automatic task names. */
  readonly main: string
  /** Whether tasks may be used before {@link Lovage.finalize}. */
  readonly autofinalize: boolean
  /** Settings, readable and writable in any of their spellings. */
  readonly conf: Settings
  /** Tasks by name. */
  readonly tasks: TaskRegistry = new TaskRegistry()
  /** Broker drivers; register your own here. */
  readonly brokers: BrokerRegistry = new BrokerRegistry()
  /** Result backend drivers; register your own here. */
  readonly backends: BackendRegistry = new BackendRegistry()
  /** Serializers, compressors and typed values. */
  readonly codecs: Codecs
  /** How error classes are written into results and built from them. */
  readonly errors: ErrorRegistry = new ErrorRegistry()
  readonly around: AroundLists = { publish: [], execute: [] }
  readonly clock: Clock
  /** Periodic tasks at run time: list, add, remove, pause, resume, run. */
  readonly beat: BeatControl = new BeatControl(this)
  /** Define a task; the README and the guide show its forms. */
  readonly task: DefineTask
  /** Define a task that beat sends: `app.periodicTask({ runEvery: crontab({ hour: 8, minute: 0 }) }, …)`. */
  readonly periodicTask: DefinePeriodicTask
  /** The periodic tasks that code and settings declare. */
  readonly periodic: PeriodicTasks = new PeriodicTasks({
    beatSchedule: () => this.config().beatSchedule,
    needsResultCleanup: () => this.#stores.needsResultCleanup(this.config()),
    logger: () => this.logger,
  })
  /** What callable tasks call. */
  readonly taskHost: TaskHost = {
    call: (call) => this.#call(call),
    callMany: (calls) => inWaves(calls, (call) => this.#call(call)),
    applyHere: async (definition, args, options) => {
      this.#requireFinalized()
      return this.#eager.apply(definition, args, options)
    },
    directContext: (definition, args) => {
      this.#requireFinalized()
      return this.#eager.directContext(definition, args)
    },
    resultOf: (id, taskName) => new AsyncResult(id, { app: this.#resultsOf(taskName), taskName }),
  }
  /** Where log lines go. */
  logger: TaskLogger
  /** The base of tasks that are defined from now on and name none of their own. */
  Task: TaskClass | undefined
  readonly #stores: Stores
  readonly #connections: Connections
  readonly #taskBackends: TaskBackends
  readonly #modules = new TaskModules()
  readonly #eager = new EagerRunner(this)
  readonly #sharedTasks: { readonly listener: (definition: TaskDefinition) => void }
  readonly #sending = new InFlight()
  readonly #configure = new Milestone()
  readonly #afterConfigure = new Milestone()
  readonly #afterFinalize = new Milestone()
  #runtime: AppRuntime | undefined
  #prepared: Promise<void> | undefined

  /**
   * @param main - Name of the app.
   * @param input - Settings; more can follow by `conf` and `configFromObject`.
   */
  constructor(main = 'lovage', input: ConfigInput = {}, options: LovageOptions = {}) {
    refuseUnknown(options, APP_OPTIONS, 'an app')
    this.main = main
    this.autofinalize = options.autofinalize ?? true
    this.clock = options.clock ?? systemClock
    this.logger = options.logger ?? silentLogger
    this.conf = new Settings(input, { findSource: readSettingsFile })
    this.Task = options.taskCls
    this.codecs = new Codecs({ maxDecompressedBytes: () => this.config().maxMessageBytes })
    const folder = callerFolder(callerPlace())
    for (const driver of builtInDrivers.brokers) this.brokers.register(driver)
    for (const driver of builtInDrivers.backends) this.backends.register(driver)
    this.#stores = new Stores({
      brokers: this.brokers,
      backends: this.backends,
      clock: this.clock,
      embeddedUrl: () => embeddedUrl(folder),
      codec: () => createResultCodec(this.config().resultSerializer, this.codecs, this.#resultContent()),
      compress: () => this.#resultCompressor(),
      uncompressed: ({ name }) => {
        this.logger.warn({ backend: name }, uncompressedText(name))
      },
    })
    this.#connections = new Connections({
      broker: (signal) => this.#openBroker(signal),
      backend: () => this.#openBackend(),
    })
    this.#taskBackends = new TaskBackends(async (url) => {
      await this.prepareCodecs()
      return this.#stores.openBackendAt(url, this.config())
    })
    const define: Definer = (taskOptions, body, method) => this.define(taskOptions, body, method)
    this.task = createDefineTask(define)
    this.periodicTask = createDefinePeriodic(define, () => this.periodic)
    this.#sharedTasks = {
      listener: (definition) => {
        this.#join(definition)
      },
    }
    joinSharedTasks(this.#sharedTasks)
  }

  /** The settings, resolved: every option present, lengths of time in milliseconds. */
  config(): Config {
    this.#configure.pass()
    const config = this.conf.resolve()
    this.#afterConfigure.pass()
    return config
  }

  /** Call `hook` before the settings are used for the first time; it may still change them. */
  onConfigure(hook: AppHook): void {
    this.#configure.add(hook)
  }

  /** Call `hook` once the settings were resolved. */
  onAfterConfigure(hook: AppHook): void {
    this.#afterConfigure.add(hook)
  }

  /** Call `hook` once all tasks are known: when a worker has loaded them, or somebody called `finalize`. */
  onAfterFinalize(hook: AppHook): void {
    this.#afterFinalize.add(hook)
  }

  /** Say that all tasks are known. */
  finalize(): void {
    this.#afterFinalize.pass()
  }

  /** The same as `conf`, under the name that a host's own keys are read by: `app.settings['sqlalchemy.url']`. */
  get settings(): Settings {
    return this.conf
  }

  /** Register a task; {@link Lovage.task} is the usual way. */
  define(options: DefineOptions, body: AnyBody, method?: MethodOwner): UntypedCallable {
    const definition = defineTask(this, options, body, method)
    this.#join(definition)
    return makeCallable(definition, () => this.taskHost)
  }

  /**
   * Have beat send a signature by a schedule; usually called in `onAfterConfigure`.
   *
   * @returns The entry's name.
   * @throws `ConfigError` for a schedule that is none.
   */
  addPeriodicTask(schedule: ScheduleInput, sig: Signature, options: AddPeriodicOptions = {}): string {
    return addSignature(this.periodic, schedule, sig, options)
  }

  /** The name of a task that was given none; put another function in its place to name them otherwise. */
  genTaskName(name: string, module: string): string {
    return dottedName(name, module)
  }

  /** Register an instance of a task class. */
  registerTask<Args extends readonly unknown[], Result>(
    task: Task & { run: (...args: Args) => Result },
  ): CallableTask<Args, Result>
  registerTask(task: Task): unknown {
    const localName = task.constructor.name
    // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called as a method of its receiver
    return this.define(optionsOf(task), task.run, { receiver: task, localName })
  }

  /**
   * Send a task by name, for tasks of another code base. Options of a task that is registered here apply.
   *
   * @throws the same errors as `delay`.
   */
  async sendTask<Value = unknown>(name: string, options?: SendOptions): Promise<AsyncResult<Value>>
  async sendTask(name: string, options?: SendOptions): Promise<unknown> {
    const { args = [], kwargs = {}, ...rest } = withoutNulls(options)
    if (this.config().taskAlwaysEager) {
      this.logger.warn(
        { task: name },
        'sendTask sends although taskAlwaysEager is on: eager mode is for delay and applyAsync',
      )
    }
    return this.#send({ name, args, kwargs, options: rest })
  }

  /** The handle of a call made elsewhere, by its id alone. */
  AsyncResult<Value = unknown>(id: string): AsyncResult<Value> {
    return new AsyncResult(id, { app: this })
  }

  /** Say how an error class is written into results, and built when one is read. */
  registerError<Err extends Error>(errorClass: ErrorClass<Err>, mapping: ErrorMapping<Err>): void {
    this.errors.register(errorClass, mapping)
  }

  /** Load settings over the present ones: an object, an ini file, or a module by path. A second call starts anew. */
  async configFromObject(source: SettingsSource, options?: ConfigSourceOptions): Promise<void> {
    const loaded = await readSettings(source, options)
    if (loaded !== undefined) this.conf.setSource(loaded)
  }

  /** Load the settings module that an environment variable names. */
  async configFromEnvvar(name: string, options?: ConfigSourceOptions): Promise<void> {
    const loaded = await readSettingsOfEnvvar(name, options)
    if (loaded !== undefined) this.conf.setSource(loaded)
  }

  /**
   * Note packages or folders whose `tasks` file is to be imported when tasks are needed.
   *
   * @param packages - Package names, folders, or a function that gives them.
   */
  autodiscoverTasks(packages: TaskPackages, options: DiscoverOptions = {}): void {
    this.#modules.discover(packages, options)
  }

  /** Import `imports`, `include` and what was noted for discovery. Called by a worker when it starts. */
  async loadTaskModules(): Promise<void> {
    const { imports, include } = this.config()
    await this.#modules.load([...imports, ...include])
    this.finalize()
  }

  /**
   * Run `lovage worker` with this app in this process: `process.exitCode = await app.workerMain(['-l', 'info'])`.
   *
   * @param argv - Words of the command line; those of this process when left out. `worker` may stand first.
   * @returns The exit code, once a signal has stopped the worker. The app is closed then.
   * @source Celery 5.7, `celery/app/base.py`, `Celery.worker_main`.
   */
  async workerMain(argv: readonly string[] = process.argv.slice(2)): Promise<number> {
    if (commandLine === undefined)
      throw new ConfigError('workerMain needs the entry of the package, "lovage"')
    return commandLine(this, argv[0] === 'worker' ? argv : ['worker', ...argv])
  }

  /** Turns calls into messages and messages into confirmed publishes. */
  get sender(): Sender {
    return this.#current().sender
  }

  /** Queues a worker consumes unless told otherwise. */
  queues(): readonly QueueSpec[] {
    return this.#current().queues.configured.map((queue) => queue.spec)
  }

  /** The queue of this name. @throws `QueueNotFoundError` when it is not configured and may not be created. */
  queueSpec(name: string): QueueSpec {
    return this.#current().queues.get(name).spec
  }

  /** Read a task from a message. @throws `MessageError` and its kin, never anything else. */
  readTask(message: Message): TaskMessage {
    const { maxMessageBytes } = this.config()
    if (message.body.byteLength > maxMessageBytes) {
      throw new MessageError(`the body has ${message.body.byteLength} bytes, more than maxMessageBytes`)
    }
    return decodeTask(message, this.codecs, this.#current().accepted)
  }

  /** The id and name in a message that {@link Lovage.readTask} refused, as far as they can be read. */
  peekTask(message: Message): TaskPeek {
    return peekTask(message, this.codecs, this.#current().accepted)
  }

  /** Load the optional packages of the serializers that the settings name; later reads and writes need no promise. */
  async prepareCodecs(): Promise<void> {
    this.#prepared ??= this.#current().prepare()
    await this.#prepared
  }

  /** The app's connection for publishing, opened on first use. */
  async broker(): Promise<Broker> {
    return this.#connections.get()
  }

  /** A connected broker of the caller's own, who closes it. */
  async openBroker(): Promise<Broker> {
    return this.#openBroker()
  }

  /** Where the broker is; the first of a failover list. */
  brokerLocation(): BrokerLocation {
    return this.#stores.location(this.config())
  }

  /** Where results are, for banners, password masked; `undefined` when there are none. */
  backendLocation(): string | undefined {
    return this.#stores.shownBackend(this.config())
  }

  /** The connected result backend. @throws `ConfigError` that names `backend`, when there is none. */
  async resultBackend(): Promise<ResultBackend> {
    const backend = await this.optionalBackend()
    if (backend === undefined) throw this.#stores.noBackend(this.config())
    return backend
  }

  /** The connected result backend; `undefined` when results are off. */
  async optionalBackend(): Promise<ResultBackend | undefined> {
    return this.#connections.backend()
  }

  /** Where a worker of this app stores results: as {@link optionalBackend}, and where tasks have backends of their own. */
  async workerBackend(): Promise<ResultBackend | undefined> {
    return this.#taskBackends.routed(await this.optionalBackend(), this.tasks.values())
  }

  #resultsOf(taskName: string): ResultSource {
    return this.#taskBackends.sourceOf(this, this.tasks.get(taskName))
  }

  /** The error that a record describes. */
  toError(record: TaskRecord): Error {
    const { taskId, traceback, result } = record
    return rebuildError(result, { taskId, traceback, registry: this.errors })
  }

  /** Resolves when every call made so far is confirmed or has failed. */
  async flush(): Promise<void> {
    await this.#sending.idle()
  }

  /** Confirm what is under way and close everything the app opened; the process can then end by itself. */
  async close(): Promise<void> {
    await this.flush()
    await Promise.all([this.#connections.close(), this.#taskBackends.close()])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #requireFinalized(): void {
    if (this.autofinalize || this.#afterFinalize.isPassed) return
    throw new TaskError(
      `the app "${this.main}" is not finalized: call app.finalize() once all tasks are defined, as autofinalize is false`,
    )
  }

  #join(definition: TaskDefinition): void {
    this.tasks.add(definition)
    definition.instance?.onBound?.(this)
  }

  /** Sends, or runs here in eager mode. Without a promise of its own: each call would pay for it. */
  #call(call: TaskCall): Promise<AsyncResult> {
    try {
      this.#requireFinalized()
      const definition = this.config().taskAlwaysEager ? this.tasks.get(call.name) : undefined
      return definition === undefined ? this.#send(call) : this.#eager.call(definition, call)
    } catch (error) {
      return Promise.reject(toError(error))
    }
  }

  async #send(call: TaskCall): Promise<AsyncResult> {
    this.#sending.begin()
    try {
      const prepared = await this.#publish(call)
      const result = new AsyncResult(prepared.taskId, {
        app: this.#resultsOf(call.name),
        taskName: call.name,
        sentAtMs: this.clock.now(),
      })
      if (call.options.addToParent !== false) addToTrail(result)
      return result
    } finally {
      this.#sending.end()
    }
  }

  async #publish(call: TaskCall): Promise<PreparedCall> {
    const { sender } = this.#current()
    const { transaction } = call
    const send = (ready: PreparedCall): Promise<void> =>
      transaction === undefined
        ? sender.publish(ready, ready.publishing)
        : sender.publishWithin(transaction, ready)
    const { publish } = this.around
    const prepared = await sender.prepare(call)
    await (publish.length === 0 ? send(prepared) : compose(publish, send)(prepared))
    return prepared
  }

  async #openBroker(signal?: AbortSignal): Promise<Broker> {
    await this.prepareCodecs()
    return this.#stores.openBroker(this.config(), signal)
  }

  async #openBackend(): Promise<ResultBackend | undefined> {
    await this.prepareCodecs()
    return this.#stores.openBackend(this.config())
  }

  #resultContent(): AcceptedContent {
    return this.codecs.serializers.accept(this.config().resultAcceptContent)
  }

  #resultCompressor(): ResultCompressor | undefined {
    const name = this.config().resultCompression
    return name === undefined ? undefined : resultCompressor(this.codecs.compressors.get(name))
  }

  /** What follows from the settings as they are now. */
  #current(): AppRuntime {
    const config = this.config()
    if (this.#runtime?.config !== config) {
      this.#prepared = undefined
      const { codecs, clock, tasks } = this
      this.#runtime = new AppRuntime({ config, codecs, clock, tasks, connections: this.#connections })
    }
    return this.#runtime
  }
}

import type { ResultBackend, TaskRecord } from '../backend/contract.js'
import { BackendRegistry } from '../backend/registry.js'
import { PeriodicTasks } from '../beat/periodic-tasks.js'
import type { Broker, QueueSpec } from '../broker/contract.js'
import { BrokerRegistry } from '../broker/registry.js'
import type { Config, ConfigInput } from '../config/config.js'
import { inactiveSettingsNote } from '../config/option/inactive.js'
import { Settings } from '../config/settings.js'
import { readSettingsFile } from '../config/source/settings-file.js'
import { MessageError, TaskError } from '../errors/errors.js'
import { Codecs } from '../message/codecs.js'
import { decodeTask } from '../message/decode-task.js'
import { ErrorRegistry } from '../message/error/error-registry.js'
import { rebuildError } from '../message/error/rebuild-error.js'
import type { Message } from '../message/message.js'
import type { AcceptedContent } from '../message/serializer/serializer-registry.js'
import type { TaskMessage } from '../message/task-message.js'
import { AsyncResult } from '../result/async-result.js'
import type { EagerResult } from '../result/eager-result.js'
import type { ResultSource } from '../result/source.js'
import type { TaskContext } from '../task/context.js'
import type { TaskDefinition } from '../task/definition.js'
import { guardLogger, silentLogger, type TaskLogger } from '../task/logger.js'
import type { Outcome } from '../task/outcome.js'
import type { TaskRequest } from '../task/request.js'
import { addToTrail } from '../task/running-task.js'
import type { PreparedCall, TaskCall } from '../task/sender.js'
import type { JoinedApp } from '../task/task-class.js'
import type { ApplyOptions, EagerOptions } from '../task/task.js'
import type { Around } from '../util/around.js'
import type { Clock } from '../util/clock.js'
import { InFlight } from '../util/in-flight.js'
import { inWaves } from '../util/in-waves.js'
import { toError } from '../util/to-error.js'
import { withoutNulls } from '../util/without-nulls.js'
import { annotated } from './annotated.js'
import { makeCallable, type TaskHost, type UntypedCallable } from './callable.js'
import { callerFolder, callerPlace } from './caller.js'
import { Connections } from './connections.js'
import {
  defineTask,
  type AnyBody,
  type DefineOptions,
  type DefinitionHost,
  type MethodOwner,
} from './define.js'
import { builtInDrivers } from './drivers.js'
import { callEagerly, directContext, runEagerly } from './eager.js'
import type { PriorityLimit } from './routes.js'
import { AppSender } from './sender.js'
import { joinSharedTasks } from './shared-tasks.js'
import { Stores, type BrokerLocation } from './stores.js'
import { TaskBackends } from './task-backends.js'
import { TaskModules } from './task-modules.js'

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

/** Options of `sendTask`: arguments beside those of a call. */
export interface SendOptions extends ApplyOptions {
  readonly args?: readonly unknown[]
}

/** What the internals need of the object that users have. */
type AppFace = DefinitionHost & JoinedApp

/** What is given to an app beside its name and settings. */
export interface InternalsOptions {
  readonly clock: Clock
  readonly logger: TaskLogger
  readonly autofinalize: boolean
}

/** The parts of an app, for worker, beat, the command line and tests. Connections are opened on first use. */
export class AppInternals implements ResultSource, TaskHost {
  readonly conf: Settings
  readonly tasks: TaskRegistry = new TaskRegistry()
  readonly brokers: BrokerRegistry = new BrokerRegistry()
  readonly backends: BackendRegistry = new BackendRegistry()
  /** Serializers, compressors and typed values. */
  readonly codecs: Codecs
  /** How error classes are written into results and built from them. */
  readonly errors: ErrorRegistry = new ErrorRegistry()
  readonly around: AroundLists = { publish: [], execute: [] }
  readonly clock: Clock
  readonly modules: TaskModules = new TaskModules()
  readonly configuring: Milestone = new Milestone()
  readonly configured: Milestone = new Milestone()
  readonly finalized: Milestone = new Milestone()
  /** The periodic tasks that code and settings declare. */
  readonly periodic: PeriodicTasks = new PeriodicTasks({
    beatSchedule: () => this.config().beatSchedule,
    needsResultCleanup: () => this.#stores.needsResultCleanup(this.config()),
    logger: () => this.logger,
  })
  /** Where log lines go. */
  logger: TaskLogger
  readonly #app: () => AppFace
  readonly #autofinalize: boolean
  readonly #stores: Stores
  readonly #connections: Connections
  readonly #taskBackends: TaskBackends
  readonly #sharedTasks: { readonly listener: (definition: TaskDefinition) => void } = {
    listener: (definition) => {
      this.#join(definition)
    },
  }
  readonly #sending = new InFlight()
  #warned = false
  /** Kept here, since the settings are a proxy and each task reads them many times. */
  #config: Config | undefined
  // These three follow from one state of the settings, and are made again when it changes.
  #sender: AppSender | undefined
  #accepted: AcceptedContent | undefined
  #prepared: Promise<void> | undefined

  /** @param app - The app that these belong to, once it is made. */
  constructor(app: () => AppFace, input: ConfigInput, options: InternalsOptions) {
    this.#app = app
    this.conf = new Settings(input, {
      findSource: readSettingsFile,
      changed: () => (this.#config = undefined),
    })
    this.clock = options.clock
    this.logger = options.logger
    this.#autofinalize = options.autofinalize
    this.codecs = new Codecs({ maxDecompressedBytes: () => this.config().maxMessageBytes })
    for (const driver of builtInDrivers.brokers) this.brokers.register(driver)
    for (const driver of builtInDrivers.backends) this.backends.register(driver)
    this.#stores = new Stores(this, callerFolder(callerPlace()))
    this.#connections = new Connections(this.#stores)
    this.#taskBackends = new TaskBackends(this.#stores)
  }

  /** The settings, resolved: every option present, lengths of time in milliseconds. */
  config(): Config {
    if (this.#config !== undefined) return this.#config
    this.configuring.pass()
    const config = this.conf.resolve()
    this.#config = config
    this.configured.pass()
    return config
  }

  /** Name the settings that nothing acts on, once for an app; a silent logger does not count. */
  warnOfInactiveSettings(logger: TaskLogger = this.logger): void {
    if (this.#warned || logger === silentLogger) return
    this.#warned = true
    const note = inactiveSettingsNote(this.conf)
    if (note !== undefined) guardLogger(logger).warn({}, note)
  }

  /** Register a task. */
  define(options: DefineOptions, body: AnyBody, method?: MethodOwner): UntypedCallable {
    const definition = defineTask(this.#app(), options, body, method)
    this.#join(definition)
    return makeCallable(definition, () => this)
  }

  /** Have every shared task, those that exist and those that come. */
  joinSharedTasks(): void {
    joinSharedTasks(this.#sharedTasks)
  }

  #join(definition: TaskDefinition): void {
    this.tasks.add(definition)
    this.tasks.set(definition.name, this.#annotated(definition))
    definition.instance?.onBound?.(this.#app())
  }

  #annotated(definition: TaskDefinition): TaskDefinition {
    return annotated(definition, () => this.config())
  }

  /** Import `imports`, `include` and what was noted for discovery. */
  async loadTaskModules(): Promise<void> {
    const { imports, include } = this.config()
    await this.modules.load([...imports, ...include])
    this.finalized.pass()
  }

  /** Sends, or runs here in eager mode. Without a promise of its own: each call would pay for it. */
  call(call: TaskCall): Promise<AsyncResult> {
    try {
      this.#requireFinalized()
      const definition = this.config().taskAlwaysEager ? this.tasks.get(call.name) : undefined
      return definition === undefined ? this.send(call) : callEagerly(this, definition, call)
    } catch (error) {
      return Promise.reject(toError(error))
    }
  }

  callMany(calls: readonly TaskCall[]): Promise<readonly AsyncResult[]> {
    return inWaves(calls, (call) => this.call(call))
  }

  /** Send a call, in eager mode too. */
  async send(call: TaskCall): Promise<AsyncResult> {
    this.#sending.begin()
    try {
      const { taskId } = await this.sender.send(call)
      const result = new AsyncResult(taskId, {
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

  async sendTask(name: string, options?: SendOptions): Promise<AsyncResult> {
    const { args = [], kwargs = {}, ...rest } = withoutNulls(options)
    if (this.config().taskAlwaysEager) {
      this.logger.warn(
        { task: name },
        'sendTask sends although taskAlwaysEager is on: eager mode is for delay and applyAsync',
      )
    }
    return this.send({ name, args, kwargs, options: rest })
  }

  async applyHere(
    definition: TaskDefinition,
    args: readonly unknown[],
    options: EagerOptions,
  ): Promise<EagerResult> {
    this.#requireFinalized()
    return runEagerly(this, this.#annotated(definition), args, options)
  }

  directContext(definition: TaskDefinition, args: readonly unknown[]): TaskContext {
    this.#requireFinalized()
    return directContext(this, this.#annotated(definition), args)
  }

  resultOf(id: string, taskName: string): AsyncResult {
    return new AsyncResult(id, { app: this.#resultsOf(taskName), taskName })
  }

  /** Turns calls into messages and messages into confirmed publishes. */
  get sender(): AppSender {
    const config = this.config()
    if (this.#sender?.config === config) return this.#sender
    const { codecs, clock, tasks } = this
    this.#prepared = undefined
    this.#accepted = undefined
    this.#sender = new AppSender({
      config,
      codecs,
      clock,
      tasks,
      priorityLimit: () => this.priorityLimit(),
      around: this.around.publish,
      connections: this.#connections,
    })
    return this.#sender
  }

  /** Queues a worker consumes unless told otherwise. */
  queues(): readonly QueueSpec[] {
    return this.sender.queues.configured.map((queue) => queue.spec)
  }

  /** The queue of this name. @throws `QueueNotFoundError` when it is not configured and may not be created. */
  queueSpec(name: string): QueueSpec {
    return this.sender.queues.get(name).spec
  }

  /** Read a task from a message. @throws `MessageError` and its kin, never anything else. */
  readTask(message: Message): TaskMessage {
    const { maxMessageBytes } = this.config()
    if (message.body.byteLength > maxMessageBytes) {
      throw new MessageError(`the body has ${message.body.byteLength} bytes, more than maxMessageBytes`)
    }
    return decodeTask(message, this.codecs, this.#acceptedContent())
  }

  /** Load the optional packages of the serializers that the settings name; later reads and writes need no promise. */
  async prepareCodecs(): Promise<void> {
    const { acceptContent, resultAcceptContent, resultSerializer, taskSerializer } = this.sender.config
    this.#prepared ??= this.codecs.serializers.prepare([
      taskSerializer,
      resultSerializer,
      ...acceptContent,
      ...resultAcceptContent,
    ])
    await this.#prepared
  }

  /** The app's connection for publishing, opened on first use. */
  broker(): Promise<Broker> {
    return this.#connections.get()
  }

  /** A connected broker of the caller's own, who closes it. */
  openBroker(): Promise<Broker> {
    return this.#stores.openBroker()
  }

  /** Where the broker is; the first of a failover list. */
  brokerLocation(): BrokerLocation {
    return this.#stores.location(this.config())
  }

  /** Which priorities the broker has. */
  priorityLimit(): PriorityLimit {
    return this.#stores.priorityLimit()
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
  optionalBackend(): Promise<ResultBackend | undefined> {
    return this.#connections.backend()
  }

  /** Where a worker of this app stores results: as {@link optionalBackend}, and where tasks have backends of their own. */
  async workerBackend(): Promise<ResultBackend | undefined> {
    return this.#taskBackends.routed(await this.optionalBackend(), this.tasks.values())
  }

  /** The error that a record describes. */
  toError({ taskId, traceback, result }: TaskRecord): Error {
    return rebuildError(result, { taskId, traceback, registry: this.errors })
  }

  /** Resolves when every call made so far is confirmed or has failed. */
  flush(): Promise<void> {
    return this.#sending.idle()
  }

  /** Confirm what is under way and close everything that was opened. */
  async close(): Promise<void> {
    await this.flush()
    await Promise.all([this.#connections.close(), this.#taskBackends.close()])
  }

  #requireFinalized(): void {
    if (this.#autofinalize || this.finalized.isPassed) return
    throw new TaskError(
      `the app "${this.#app().main}" is not finalized: call app.finalize() once all tasks are defined, as autofinalize is false`,
    )
  }

  #resultsOf(taskName: string): ResultSource {
    return this.#taskBackends.sourceOf(this, this.tasks.get(taskName))
  }

  #acceptedContent(): AcceptedContent {
    const { acceptContent } = this.sender.config
    this.#accepted ??= this.codecs.serializers.accept(acceptContent)
    return this.#accepted
  }
}

/** Something to do at a point of an app's life. */
export type AppHook = () => void

/** A point of an app's life that is passed once. */
class Milestone {
  readonly #hooks: AppHook[] = []
  #passed = false

  get isPassed(): boolean {
    return this.#passed
  }

  /** Call `hook` when the point is passed, at once when it was. */
  add(hook: AppHook): void {
    if (this.#passed) hook()
    else this.#hooks.push(hook)
  }

  /** Pass the point: hooks run in the order they were added, the first time only. */
  pass(): void {
    if (this.#passed) return
    this.#passed = true
    for (const hook of this.#hooks.splice(0)) hook()
  }
}

/** The tasks of an app by name. */
export class TaskRegistry extends Map<string, TaskDefinition> {
  /**
   * Add a task.
   *
   * The same function from the same place may come again (a module loaded twice); the newer one is kept.
   *
   * @throws {@link TaskError} when another function has the name; the message has both places.
   */
  add(definition: TaskDefinition): void {
    const present = this.get(definition.name)
    if (present !== undefined && !isSame(present, definition) && definition.options.replace !== true) {
      throw new TaskError(
        `two tasks are named "${definition.name}": at ${present.place} and at ${definition.place}; give one another name, or replace: true`,
      )
    }
    this.set(definition.name, definition)
  }
}

function isSame(one: TaskDefinition, other: TaskDefinition): boolean {
  return one.source === other.source || one.place === other.place
}

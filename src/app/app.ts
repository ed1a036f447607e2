import type { BackendRegistry } from '../backend/registry.js'
import { BeatControl } from '../beat/beat-control.js'
import type { BrokerRegistry } from '../broker/registry.js'
import type { Signature } from '../canvas/signature.js'
import type { ConfigInput } from '../config/config.js'
import type { Settings } from '../config/settings.js'
import { ConfigError } from '../errors/errors.js'
import type { ErrorClass, ErrorMapping } from '../message/error/error-registry.js'
import { AsyncResult } from '../result/async-result.js'
import type { ScheduleInput } from '../schedule/read-schedule.js'
import { silentLogger, type TaskLogger } from '../task/logger.js'
import { optionsOf, type Task, type TaskClass } from '../task/task-class.js'
import type { CallableTask } from '../task/task.js'
import { systemClock, type Clock } from '../util/clock.js'
import { AppWith, internalsOf } from '../util/internals.js'
import { refuseUnknown, type KnownMembers } from '../util/known-members.js'
import {
  addSignature,
  createDefinePeriodic,
  type AddPeriodicOptions,
  type DefinePeriodicTask,
} from './define-periodic.js'
import { dottedName } from './define.js'
import { createDefineTask, type Definer, type DefineTask } from './definer.js'
import { type AppHook, AppInternals, type SendOptions, type TaskRegistry } from './internals.js'
import {
  readSettings,
  readSettingsOfEnvvar,
  type ConfigSourceOptions,
  type SettingsSource,
} from './settings-sources.js'
import type { DiscoverOptions, TaskPackages } from './task-modules.js'

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
export class Lovage extends AppWith<AppInternals> {
  /** Name of the app: the first part of automatic task names. */
  readonly main: string
  /** Settings, readable and writable in any of their spellings; so are a host's own keys, `app.conf['sqlalchemy.url']`. */
  readonly conf: Settings
  /** Tasks by name. */
  readonly tasks: TaskRegistry
  /** Broker drivers; register your own here. */
  readonly brokers: BrokerRegistry
  /** Result backend drivers; register your own here. */
  readonly backends: BackendRegistry
  /** Periodic tasks at run time: list, add, remove, pause, resume, run. */
  readonly beat: BeatControl
  /** Define a task; the README and the guide show its forms. */
  readonly task: DefineTask
  /** Define a task that beat sends: `app.periodicTask({ runEvery: crontab({ hour: 8, minute: 0 }) }, …)`. */
  readonly periodicTask: DefinePeriodicTask
  /** The base of tasks that are defined from now on and name none of their own. */
  Task: TaskClass | undefined

  /**
   * @param main - Name of the app.
   * @param input - Settings; more can follow by `conf` and `configFromObject`.
   */
  constructor(main = 'lovage', input: ConfigInput = {}, options: LovageOptions = {}) {
    refuseUnknown(options, APP_OPTIONS, 'an app')
    const internals = new AppInternals(() => this, input, {
      clock: options.clock ?? systemClock,
      logger: options.logger ?? silentLogger,
      autofinalize: options.autofinalize ?? true,
    })
    super(internals)
    this.main = main
    this.Task = options.taskCls
    this.conf = internals.conf
    this.tasks = internals.tasks
    this.brokers = internals.brokers
    this.backends = internals.backends
    this.beat = new BeatControl(internals)
    const define: Definer = (taskOptions, body, method) => internals.define(taskOptions, body, method)
    this.task = createDefineTask(define)
    this.periodicTask = createDefinePeriodic(define, () => internals.periodic)
    internals.joinSharedTasks()
  }

  /** Call `hook` before the settings are used for the first time; it may still change them. */
  onConfigure(hook: AppHook): void {
    internalsOf(this).configuring.add(hook)
  }

  /** Call `hook` once the settings were resolved. */
  onAfterConfigure(hook: AppHook): void {
    internalsOf(this).configured.add(hook)
  }

  /** Call `hook` once all tasks are known: when a worker has loaded them, or somebody called `finalize`. */
  onAfterFinalize(hook: AppHook): void {
    internalsOf(this).finalized.add(hook)
  }

  /** Say that all tasks are known. */
  finalize(): void {
    internalsOf(this).finalized.pass()
  }

  /**
   * Have beat send a signature by a schedule; usually called in `onAfterConfigure`.
   *
   * @returns The entry's name.
   * @throws `ConfigError` for a schedule that is none.
   */
  addPeriodicTask(schedule: ScheduleInput, sig: Signature, options: AddPeriodicOptions = {}): string {
    return addSignature(internalsOf(this).periodic, schedule, sig, options)
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
    return internalsOf(this).define(optionsOf(task), task.run, { receiver: task, localName })
  }

  /**
   * Send a task by name, for tasks of another code base. Options of a task that is registered here apply.
   *
   * @throws the same errors as `delay`.
   */
  async sendTask<Value = unknown>(name: string, options?: SendOptions): Promise<AsyncResult<Value>>
  async sendTask(name: string, options?: SendOptions): Promise<unknown> {
    return internalsOf(this).sendTask(name, options)
  }

  /** The handle of a call made elsewhere, by its id alone. */
  AsyncResult<Value = unknown>(id: string): AsyncResult<Value> {
    return new AsyncResult(id, { app: this })
  }

  /** Say how an error class is written into results, and built when one is read. */
  registerError<Err extends Error>(errorClass: ErrorClass<Err>, mapping: ErrorMapping<Err>): void {
    internalsOf(this).errors.register(errorClass, mapping)
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
    internalsOf(this).modules.discover(packages, options)
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

  /** Confirm what is under way and close everything the app opened; the process can then end by itself. */
  async close(): Promise<void> {
    await internalsOf(this).close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

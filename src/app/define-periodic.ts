import { ConfigError } from '../errors/errors.js'
import type { Signature } from '../canvas/signature.js'
import { pythonRepr } from '../message/python-repr.js'
import type { ScheduleInput } from '../schedule/read-schedule.js'
import type { CallOptions } from '../task/call-options.js'
import type { TaskContext } from '../task/context.js'
import { TASK_OPTIONS } from '../task/known-options.js'
import type { CallableTask } from '../task/task.js'
import { refuseUnknown, type KnownMembers } from '../util/known-members.js'
import type { UntypedCallable } from './callable.js'
import type { AnyBody, DefineOptions, MethodOwner } from './define.js'
import { createDefineTask, type Definer, type TaskDecorator, type TaskOf } from './definer.js'
import { withoutNulls } from '../util/without-nulls.js'
import type { CatchUpInput } from '../beat/entry.js'
import type { PeriodicTasks } from '../beat/periodic-tasks.js'

/** Options of `app.periodicTask`: those of a task, and when it runs. */
export interface PeriodicOptions extends DefineOptions {
  /** When: a length of time (a number is seconds), a line of cron, an instant, `crontab()` and its kin. */
  readonly runEvery: ScheduleInput
  /** Round an interval to the clock. */
  readonly relative?: boolean
  /** IANA zone; that of the app when left out. */
  readonly timezone?: string
  /** What becomes of instants at which no beat ran: `last` (the default), `skip` or `all`. */
  readonly catchUp?: CatchUpInput
}

const PERIODIC_OPTIONS: KnownMembers<PeriodicOptions> = {
  ...TASK_OPTIONS,
  bind: true,
  base: true,
  runEvery: true,
  relative: true,
  timezone: true,
  catchUp: true,
}

/** A function without parameters, or whose parameters may be left out: beat gives it none. */
type PlainFunction = (this: void, ...args: never[]) => unknown

/** The forms of `app.periodicTask`. */
export interface DefinePeriodicTask {
  <Result>(
    options: PeriodicOptions & { readonly bind: true },
    body: (self: TaskContext) => Result,
  ): CallableTask<[], Result>
  <Result>(
    name: string,
    options: PeriodicOptions & { readonly bind: true },
    body: (self: TaskContext) => Result,
  ): CallableTask<[], Result>
  <Body extends PlainFunction>(options: PeriodicOptions & { readonly bind?: false }, body: Body): TaskOf<Body>
  <Body extends PlainFunction>(
    name: string,
    options: PeriodicOptions & { readonly bind?: false },
    body: Body,
  ): TaskOf<Body>
  (options: PeriodicOptions): TaskDecorator
}

/**
 * The function behind `app.periodicTask`: defines a task, and an entry of beat under the task's name.
 *
 * @source Celery 4, `celery/task/base.py`, `periodic_task`.
 */
export function createDefinePeriodic(define: Definer, entries: () => PeriodicTasks): DefinePeriodicTask {
  const definer = (options: DefineOptions, body: AnyBody, method?: MethodOwner): UntypedCallable => {
    if (!isPeriodic(options))
      throw new ConfigError(`a periodic task needs runEvery: app.periodicTask({ runEvery: 30 }, …)`)
    refuseUnknown(options, PERIODIC_OPTIONS, `the periodic task ${options.name ?? ''}`.trimEnd())
    const { runEvery, relative, timezone, catchUp, ...taskOptions } = options
    const callable = define(taskOptions, body, method)
    entries().add(callable.name, {
      task: callable.name,
      schedule: runEvery,
      ...(relative === undefined ? {} : { relative }),
      ...(timezone === undefined ? {} : { timezone }),
      ...(catchUp === undefined ? {} : { catchUp }),
    })
    return callable
  }
  return createDefineTask(definer)
}

function isPeriodic(options: DefineOptions): options is PeriodicOptions {
  return 'runEvery' in options && options.runEvery !== undefined
}

/** Options of `app.addPeriodicTask`; what a call can say may stand beside them, as `queue` and `expires`. */
export interface AddPeriodicOptions extends CallOptions {
  /** The entry's name; the call as it reads, `tasks.add(1, 2)`, when left out. */
  readonly name?: string
  /** Arguments before those of the signature. */
  readonly args?: readonly unknown[]
  /** Keyword arguments beside those of the signature. */
  readonly kwargs?: Readonly<Record<string, unknown>>
  /** Options of the call. */
  readonly options?: CallOptions
  /** Round an interval to the clock. */
  readonly relative?: boolean
  /** IANA zone; that of the app when left out. */
  readonly timezone?: string
  /** What becomes of instants at which no beat ran: `last` (the default), `skip` or `all`. */
  readonly catchUp?: CatchUpInput
}

/**
 * Declare that a signature is sent by a schedule.
 *
 * @returns The entry's name.
 * @source Celery 5.7, `celery/app/base.py`, `add_periodic_task`.
 */
export function addSignature(
  entries: PeriodicTasks,
  schedule: ScheduleInput,
  sig: Signature,
  options: AddPeriodicOptions,
): string {
  const {
    name,
    args = [],
    kwargs = {},
    options: more,
    relative,
    timezone,
    catchUp,
    ...call
  } = withoutNulls(options)
  const whole = sig.immutable ? sig.args : [...args, ...sig.args]
  const named = sig.immutable ? sig.kwargs : { ...sig.kwargs, ...kwargs }
  const key = name ?? `${sig.task}(${printed(whole, named)})`
  entries.add(key, {
    task: sig.task,
    schedule,
    args: whole,
    kwargs: named,
    options: { ...sig.options, ...withoutNulls(more), ...call },
    ...(relative === undefined ? {} : { relative }),
    ...(timezone === undefined ? {} : { timezone }),
    ...(catchUp === undefined ? {} : { catchUp }),
  })
  return key
}

function printed(args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>): string {
  const named = Object.entries(kwargs).map(([key, value]) => `${key}=${pythonRepr(value)}`)
  return [...args.map((value) => pythonRepr(value)), ...named].join(', ')
}

import { setCommandLine } from './app/app.js'

import './built-in-drivers.js'

// An app does not know the command line, and nobody pays for it before it is used.
setCommandLine(async (app, argv) => (await import('./cli/main.js')).runWithApp(app, argv))

export { Lovage } from './app/app.js'
export type { LovageOptions } from './app/app.js'
export type { SendOptions } from './app/internals.js'
export type { DiscoverOptions, TaskPackages } from './app/task-modules.js'
export { currentApp, periodicTask, setDefaultApp, setupLoader, sharedTask, task } from './app/default-app.js'
export { taskOf } from './app/definer.js'
export type { DefineTask, TaskDecorator } from './app/definer.js'
export type { AddPeriodicOptions, DefinePeriodicTask, PeriodicOptions } from './app/define-periodic.js'
export type { CatchUpInput, CatchUpPolicy, EntryInput } from './beat/entry.js'
export { Signature, signature } from './canvas/signature.js'
export type { Config, ConfigInput } from './config/config.js'
export { ERROR_CODES } from './errors/codes.js'
export type { ErrorCode } from './errors/codes.js'
export { Directive, Ignore, Reject, Retry } from './errors/directives.js'
export * from './errors/errors.js'
export { BrokerConnectionError as OperationalError } from './errors/errors.js'
export { allowJoinResult } from './result/allow-join.js'
export { AsyncResult } from './result/async-result.js'
export { EagerResult } from './result/eager-result.js'
export type { GetOptions, ProgressUpdate, ResultHandle, ResultTuple } from './result/result-handle.js'
export type { ResultSource } from './result/source.js'
export {
  EXCEPTION_STATES,
  precedence,
  PROPAGATE_STATES,
  READY_STATES,
  UNREADY_STATES,
} from './result/states.js'
export type { Crontab, CrontabOptions } from './schedule/crontab.js'
export type { CrontabSpec } from './schedule/crontab-field.js'
export type { Interval, IntervalOptions } from './schedule/interval.js'
export type { Moment, NextOptions } from './schedule/moment.js'
export type { OneOff } from './schedule/one-off.js'
export type { ScheduleInput } from './schedule/read-schedule.js'
export type { Schedule, ScheduleData } from './schedule/schedule.js'
export { clocked, crontab, every, solar } from './schedule/schedules.js'
export type { CrontabMaker } from './schedule/schedules.js'
export type { Solar, SolarEvent } from './schedule/solar.js'
export type { CallOptions } from './task/call-options.js'
export { currentTask } from './task/context.js'
export type { RetryOptions, StateUpdate, TaskContext } from './task/context.js'
export type { TaskLogger } from './task/logger.js'
export type { HandlerEvent, TaskOptions } from './task/options.js'
export type { DeliveryInfo, TaskRequest } from './task/request.js'
export type { StandardSchema } from './task/schema.js'
export { Task } from './task/task-class.js'
export type { JoinedApp, TaskClass } from './task/task-class.js'
export type { AnyTask, ApplyOptions, CallableTask, EagerOptions } from './task/task.js'
export type { Around } from './util/around.js'
export type { Clock } from './util/clock.js'
export type { DurationInput } from './util/duration.js'

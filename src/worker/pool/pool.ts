import type { StateUpdate } from '../../task/context.js'
import type { TaskDefinition, TaskLookup } from '../../task/definition.js'
import type { TaskLogger } from '../../task/logger.js'
import type { Outcome } from '../../task/outcome.js'
import type { TaskPort } from '../../task/port.js'
import type { TaskRequest } from '../../task/request.js'
import type { DeadlineTime } from '../run/deadlines.js'

/** One run to do. Plain data: it crosses threads and processes. */
export interface Job {
  /** The task's name and arguments, and everything else the body may ask for. */
  readonly request: TaskRequest
  /** When the body is told to end, in milliseconds from its start. */
  readonly softLimitMs: number | undefined
  /** When the run has failed whatever the body does, in milliseconds from its start. */
  readonly hardLimitMs: number | undefined
}

/** Why a run is to end before it is done. */
export type CancelReason = 'lease-lost' | 'shutdown' | 'connection-lost'

/** A run that a pool has begun. */
export interface JobRun {
  /** How it ended; never rejects. After a hard limit it resolves although the body goes on. */
  readonly outcome: Promise<Outcome>
  /** Ask the body to end: its signal aborts. The outcome still comes, and whoever cancelled ignores it. */
  cancel(reason: CancelReason): void
}

/** What a pool calls back while a job runs. */
export interface PoolHost {
  /** Store a state of the user's own for this job. */
  updateState(job: Job, update: StateUpdate): Promise<void>
  /** Takes the lines that bodies write. */
  readonly logger: TaskLogger
  /** How classes are written into results. */
  readonly errors: TaskPort['errors']
  /** The tasks by name, for pools that run them in this thread. */
  readonly tasks: TaskLookup
  /** Run a body that is in this thread, through the app's list of around-functions. */
  readonly execute: Execute
  /** Where limits take time from. */
  readonly time: DeadlineTime
}

/** Runs one task in this thread; never rejects. */
export type Execute = (definition: TaskDefinition, request: TaskRequest, port: TaskPort) => Promise<Outcome>

/** Runs jobs, up to a number at once; the worker sees to it that no more are given. */
export interface Pool {
  /** As `--pool` names it. */
  readonly name: string
  /** Jobs at once. */
  readonly concurrency: number
  /** Bodies that went on after their hard limit and have not ended yet. */
  readonly leftover: number
  start(): Promise<void>
  /** Begin a job whose task is registered. */
  run(job: Job): JobRun
  /** Let go of everything. The worker has cancelled what it wants cancelled. Idempotent. */
  stop(): Promise<void>
}

import {
  BrokerConnectionError,
  LeaseLostError,
  TimeLimitError,
  WorkerShutdownError,
} from '../../errors/errors.js'
import type { StateUpdate } from '../../task/context.js'
import type { TaskDefinition } from '../../task/definition.js'
import type { TaskLogger } from '../../task/logger.js'
import type { Outcome } from '../../task/outcome.js'
import type { TaskPort } from '../../task/port.js'
import { Deadlines, type Deadline } from '../run/deadlines.js'
import type { CancelReason, Job, JobRun, Pool, PoolHost } from './pool.js'

/** How to open an {@link AsyncPool}. */
export interface AsyncPoolOptions {
  /** As `--pool` named it. */
  readonly name: string
  readonly concurrency: number
}

/** What the runs of one pool share. */
interface Shared {
  readonly host: PoolHost
  readonly deadlines: Deadlines
  leftover: number
}

/**
 * Runs bodies on this thread's event loop, many at once: for tasks that wait for input and output.
 *
 * A body cannot be stopped from outside. A hard limit frees its slot and drops what it still returns; the body goes on
 * as a leftover until it ends by itself.
 */
export class AsyncPool implements Pool {
  readonly name: string
  readonly concurrency: number
  readonly #shared: Shared

  constructor(host: PoolHost, options: AsyncPoolOptions) {
    this.name = options.name
    this.concurrency = options.concurrency
    this.#shared = { host, deadlines: new Deadlines(host.time), leftover: 0 }
  }

  get leftover(): number {
    return this.#shared.leftover
  }

  async start(): Promise<void> {}

  run(job: Job): JobRun {
    const definition = this.#shared.host.tasks.get(job.request.task)
    return new AsyncRun(job, definition, this.#shared)
  }

  async stop(): Promise<void> {
    this.#shared.deadlines.clear()
  }
}

/** One run; it is its own port and its own deadline, because one object for each task is what a task costs. */
class AsyncRun implements JobRun, TaskPort, Deadline {
  atMs = 0
  place = -1
  readonly outcome: Promise<Outcome>
  readonly #job: Job
  readonly #shared: Shared
  #logger: TaskLogger | undefined
  #controller: AbortController | undefined
  #aborted: Error | undefined
  #softPassed = false
  #ended = false
  /** The last state on its way to the store. Never rejects. */
  #storing: Promise<void> | undefined
  #timedOut: ((outcome: Outcome) => void) | undefined

  constructor(job: Job, definition: TaskDefinition | undefined, shared: Shared) {
    this.#job = job
    this.#shared = shared
    this.outcome = definition === undefined ? Promise.resolve(notRegistered(job)) : this.#begin(definition)
  }

  get errors(): PoolHost['errors'] {
    return this.#shared.host.errors
  }

  get logger(): TaskLogger {
    const { request } = this.#job
    this.#logger ??= this.#shared.host.logger.child({ task: request.task, id: request.id })
    return this.#logger
  }

  signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#aborted !== undefined) this.#controller.abort(this.#aborted)
    return this.#controller.signal
  }

  async updateState(update: StateUpdate): Promise<void> {
    if (this.#ended) return
    const storing = this.#shared.host.updateState(this.#job, update)
    this.#storing = storing.catch(() => undefined)
    await storing
  }

  cancel(reason: CancelReason): void {
    this.#abort(cancelError(reason, this.#job))
  }

  /** A limit has come: first the soft one, if there is one, then the hard one. */
  expire(): void {
    const { softLimitMs, hardLimitMs } = this.#job
    if (softLimitMs !== undefined && !this.#softPassed) {
      this.#softPassed = true
      if (hardLimitMs !== undefined) this.#shared.deadlines.add(this, hardLimitMs - softLimitMs)
      this.#abort(new TimeLimitError(`soft time limit of ${seconds(softLimitMs)}s passed`, true))
      return
    }
    if (hardLimitMs === undefined) return
    this.#shared.leftover += 1
    this.#timedOut?.(timedOut(this.#job, hardLimitMs))
    this.#ended = true
    this.#abort(new TimeLimitError(`time limit of ${seconds(hardLimitMs)}s passed`, false))
  }

  #begin(definition: TaskDefinition): Promise<Outcome> {
    const { softLimitMs, hardLimitMs } = this.#job
    const firstMs = softLimitMs ?? hardLimitMs
    if (firstMs === undefined) return this.#execute(definition)
    return new Promise((resolve) => {
      this.#timedOut = resolve
      this.#shared.deadlines.add(this, firstMs)
      this.#execute(definition).then((outcome) => {
        this.#end()
        resolve(outcome)
      }, resolve)
    })
  }

  /** A state that the body did not wait for is written before the outcome, never after it. */
  #execute(definition: TaskDefinition): Promise<Outcome> {
    // Chained, not awaited: an asynchronous function would cost each task a second promise.
    return this.#shared.host.execute(definition, this.#job.request, this).then((outcome) => {
      if (this.#storing === undefined) return this.#finish(outcome)
      return this.#storing.then(() => this.#finish(outcome))
    })
  }

  #finish(outcome: Outcome): Outcome {
    if (this.#job.softLimitMs === undefined && this.#job.hardLimitMs === undefined) this.#ended = true
    return outcome
  }

  #end(): void {
    if (this.#ended) this.#shared.leftover -= 1
    else this.#shared.deadlines.remove(this)
    this.#ended = true
  }

  #abort(reason: Error): void {
    if (this.#aborted !== undefined && this.#controller?.signal.aborted === true) return
    this.#aborted = reason
    this.#controller?.abort(reason)
  }
}

function cancelError(reason: CancelReason, job: Job): Error {
  const { task, id } = job.request
  switch (reason) {
    case 'lease-lost':
      return new LeaseLostError(`the claim on ${task}[${id}] was lost: another worker has it by now`)
    case 'shutdown':
      return new WorkerShutdownError(`the worker shuts down: ${task}[${id}] goes back to its queue`)
    case 'connection-lost':
      return new BrokerConnectionError(`the connection was lost: ${task}[${id}] goes back to its queue`)
  }
}

function timedOut(job: Job, hardLimitMs: number): Outcome {
  const limit = seconds(hardLimitMs)
  const message = `TimeLimitExceeded(${limit})`
  return {
    kind: 'failure',
    expected: false,
    children: [],
    failure: {
      // Celery's parent process writes this one, in these words.
      exception: { exc_type: 'TimeLimitExceeded', exc_message: [limit], exc_module: 'billiard.exceptions' },
      traceback: `${message}\n`,
      message: `${message} in ${job.request.task}`,
      error: new TimeLimitError(`time limit of ${limit}s passed`, false),
    },
  }
}

function notRegistered(job: Job): Outcome {
  const { task } = job.request
  const exception = { exc_type: 'NotRegistered', exc_message: [task], exc_module: 'celery.exceptions' }
  return {
    kind: 'failure',
    expected: false,
    children: [],
    failure: { exception, traceback: '', message: `NotRegistered: ${task}` },
  }
}

function seconds(ms: number): number {
  return ms / 1000
}

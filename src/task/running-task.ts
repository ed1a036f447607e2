import { Retry, type RetryRequest } from '../errors/directives.js'
import { TaskError } from '../errors/errors.js'
import { toMs } from '../util/duration.js'
import { withoutNulls } from '../util/without-nulls.js'
import { currentTask, type RetryOptions, type StateUpdate, type TaskContext } from './context.js'
import type { TaskLogger } from './logger.js'
import type { TaskPort } from './port.js'
import type { TaskRequest } from './request.js'
import { refuseUnknown, type KnownMembers } from '../util/known-members.js'

/** The context of one run: Celery's bound task instance. Made for every run, so it holds nothing it may not need. */
export class RunningTask implements TaskContext {
  readonly name: string
  readonly request: TaskRequest
  readonly #port: TaskPort
  #logger: TaskLogger | undefined
  #children: unknown[] | undefined

  constructor(name: string, request: TaskRequest, port: TaskPort) {
    this.name = name
    this.request = request
    this.#port = port
  }

  get signal(): AbortSignal {
    return this.#port.signal()
  }

  get logger(): TaskLogger {
    this.#logger ??= this.#port.logger.child({ task: this.name, id: this.request.id })
    return this.#logger
  }

  /** Celery's result tuples of what this run has sent so far. */
  get children(): readonly unknown[] {
    return this.#children ?? NO_CHILDREN
  }

  /** Record a task sent from this run. */
  addChild(tuple: unknown): void {
    this.#children ??= []
    this.#children.push(tuple)
  }

  retry(options: RetryOptions = {}): Retry {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- the caller's own error, whatever it is
    if (this.request.calledDirectly && options.exc !== undefined) throw options.exc
    return new Retry(toRetryRequest(options))
  }

  async updateState(update: StateUpdate): Promise<void> {
    refuseUnknown(update, STATE_UPDATE, 'updateState', TaskError)
    await this.#port.updateState(update)
  }
}

const NO_CHILDREN: readonly unknown[] = []

/** Record a task sent from the running one, if there is one and it keeps a trail. */
export function addToTrail(result: { asTuple(): unknown }): void {
  const current = currentTask()
  if (current instanceof RunningTask) current.addChild(result.asTuple())
}

const RETRY_OPTIONS = {
  countdown: true,
  eta: true,
  exc: true,
  args: true,
  kwargs: true,
  maxRetries: true,
  queue: true,
  priority: true,
} satisfies KnownMembers<RetryOptions>
const STATE_UPDATE = { state: true, meta: true } satisfies KnownMembers<StateUpdate>

function toRetryRequest(options: RetryOptions): RetryRequest {
  refuseUnknown(options, RETRY_OPTIONS, 'retry', TaskError)
  const { countdown, eta, exc, ...rest } = withoutNulls(options)
  return {
    ...rest,
    ...(countdown === undefined ? {} : { countdownMs: toMs(countdown, 'countdown') }),
    ...(eta === undefined ? {} : { etaMs: eta.getTime() }),
    ...(exc === undefined ? {} : { cause: exc }),
  }
}

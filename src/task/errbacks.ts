import { rebuildError } from '../message/error/rebuild-error.js'
import type { WireSignature } from '../message/task-message.js'
import { toError } from '../util/to-error.js'
import type { TaskDefinition, TaskLookup } from './definition.js'
import type { Failure, Outcome } from './outcome.js'
import type { TaskPort } from './port.js'
import type { TaskRequest } from './request.js'

/** What runs an errback. */
export interface ErrbackHost extends Pick<TaskPort, 'errors' | 'logger'> {
  execute(definition: TaskDefinition, request: TaskRequest, port: TaskPort): Promise<Outcome>
}

/** An errback that runs in the process whose task failed. */
interface LocalErrback {
  readonly definition: TaskDefinition
  readonly signature: WireSignature
}

/** The errbacks of a task: those that run here, and those that are sent with the id of the failed task. */
export interface SortedErrbacks {
  readonly here: readonly LocalErrback[]
  readonly sent: readonly WireSignature[]
}

/**
 * Sort errbacks as Celery does: one that this process knows, and that takes more than an id, is called here with the request, the
 * error and the traceback.
 *
 * @source Celery 5.7, `celery/backends/base.py`, `_call_task_errbacks`.
 */
export function sortErrbacks(errbacks: readonly WireSignature[], tasks: TaskLookup): SortedErrbacks {
  const here: LocalErrback[] = []
  const sent: WireSignature[] = []
  for (const signature of errbacks) {
    const definition = tasks.get(signature.task)
    if (definition !== undefined && takesError(definition, signature)) here.push({ definition, signature })
    else sent.push(signature)
  }
  return { here, sent }
}

function takesError({ arity }: TaskDefinition, { immutable, args, subtask_type }: WireSignature): boolean {
  if (immutable === true || (subtask_type ?? null) !== null) return false
  return arity.least > 1 + args.length
}

/** Call one errback. Never rejects; an error in it is logged and changes nothing. */
export async function callErrback(
  host: ErrbackHost,
  { definition, signature }: LocalErrback,
  failed: { readonly request: TaskRequest; readonly failure: Failure },
): Promise<void> {
  const { request, failure } = failed
  const given = [request, errorOf(failed, host), failure.traceback]
  const most = Math.max(0, definition.arity.most - signature.args.length)
  const own: TaskRequest = {
    ...request,
    task: definition.name,
    args: [...given.slice(0, most), ...signature.args],
    kwargs: signature.kwargs,
    callbacks: null,
    errbacks: null,
    chain: null,
    chord: null,
    calledDirectly: true,
  }
  const outcome = await host.execute(definition, own, {
    signal: () => new AbortController().signal,
    logger: host.logger,
    updateState: async () => undefined,
    errors: host.errors,
  })
  if (outcome.kind === 'success') return
  const message = outcome.kind === 'failure' ? outcome.failure.message : `it asked for ${outcome.kind}`
  host.logger.error(
    { task: request.task, id: request.id, errback: definition.name },
    `An errback of ${request.task}[${request.id}] failed: ${message}`,
  )
}

function errorOf({ request, failure }: { request: TaskRequest; failure: Failure }, host: ErrbackHost): Error {
  if (failure.error !== undefined) return toError(failure.error)
  const { exception, traceback } = failure
  return rebuildError(exception, { taskId: request.id, traceback, registry: host.errors })
}

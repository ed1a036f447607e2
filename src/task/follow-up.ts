import type { Outgoing } from '../broker/contract.js'
import {
  awaitedIds,
  expandSignature,
  groupOf,
  needsChord,
  type ExpandedSignature,
  type PlainCall,
} from '../canvas/expand-signature.js'
import { fromWireOptions } from '../canvas/wire-options.js'
import { BrokerError } from '../errors/errors.js'
import type { Embed, TaskMessage, WireSignature } from '../message/task-message.js'
import { isRecord } from '../util/record.js'
import { toError } from '../util/to-error.js'
import type { CallOptions } from './call-options.js'
import type { Outcome } from './outcome.js'
import type { TaskRequest } from './request.js'
import type { PreparedCall, Sender } from './sender.js'

/** What the end of a task brings about. */
export interface FollowUps {
  /** Messages to publish together with the acknowledgement. */
  readonly publish: readonly Outgoing[]
  /** Celery's result tuples for `children`: what the run sent itself, then what is published here. */
  readonly children: readonly unknown[]
  /** Ids of what follows in the chain, which shares a failure. */
  readonly failedChain: readonly string[]
  /** Errbacks that cannot be called. */
  readonly problems: readonly Error[]
}

/** What there is to do when a task carries nothing. */
const NOTHING: readonly never[] = []

/** Whether the end of a task brings anything about; asked first, because most bring nothing. */
export function hasFollowUps(request: TaskRequest, outcome: Outcome): boolean {
  if (outcome.kind === 'retry') return true
  if (isFailure(outcome)) return request.errbacks !== null || request.chain !== null
  return outcome.kind === 'success' && (request.callbacks !== null || request.chain !== null)
}

/** Whether this outcome is the end of everything that was to follow the task. */
function isFailure(outcome: Outcome): boolean {
  return outcome.kind === 'failure' || (outcome.kind === 'reject' && !outcome.requeue)
}

/**
 * Ids of what waits for the rest of a chain that will not run, because its task ended like this.
 *
 * @source Celery 5.7, `celery/backends/base.py`, `_fail_chain`; the members of a group are left out there.
 */
export function failedWith(request: TaskRequest, outcome: Outcome): readonly string[] {
  return isFailure(outcome) ? [...new Set((request.chain ?? NOTHING).flatMap(awaitedIds))] : NOTHING
}

/** Whether something follows this task that needs a chord, which is not there yet. */
export function isFollowedByChord({ callbacks, chain }: Pick<Embed, 'callbacks' | 'chain'>): boolean {
  const next = chain?.at(-1)
  return (callbacks?.some(needsChord) ?? false) || (next !== undefined && needsChord(next))
}

/**
 * The messages that the end of a task asks for: the next try, callbacks and the next chain element after success,
 * errbacks after a failure.
 *
 * @source Celery 5.7, `celery/app/trace.py`, `celery/backends/base.py` (`_call_task_errbacks`).
 */
export async function followUps(
  sender: Sender,
  message: TaskMessage,
  request: TaskRequest,
  outcome: Outcome,
): Promise<FollowUps> {
  const all = await prepareAll(sender, message, request, outcome)
  const prepared = all.filter(({ problem }) => problem === undefined)
  const children =
    prepared.length === 0 ? outcome.children : [...outcome.children, ...prepared.map(({ tuple }) => tuple)]
  const calls = prepared.flatMap((one) => one.calls)
  return {
    problems: all.flatMap(({ problem }) => problem ?? []),
    publish: await Promise.all(calls.map((call) => sender.ready(call))),
    children,
    failedChain: failedWith(request, outcome),
  }
}

/** What was prepared, and the result tuple that stands for it among the children. */
interface Prepared {
  readonly calls: readonly PreparedCall[]
  readonly tuple: unknown
  /** In place of both: why it cannot be called. */
  readonly problem?: Error
}

function prepareAll(
  sender: Sender,
  message: TaskMessage,
  request: TaskRequest,
  outcome: Outcome,
): Promise<readonly Prepared[]> {
  switch (outcome.kind) {
    case 'retry':
      return sender.prepareRetry(message, request, outcome.retry).then((call) => [asOne(call)])
    case 'success':
      return prepareNext(sender, request, outcome.value)
    case 'failure':
    case 'reject':
      return isFailure(outcome) ? prepareErrbacks(sender, request) : Promise.resolve(NOTHING)
    case 'ignore':
      return Promise.resolve(NOTHING)
  }
}

async function prepareNext(
  sender: Sender,
  request: TaskRequest,
  value: unknown,
): Promise<readonly Prepared[]> {
  const expanded = asCalled(request.callbacks ?? NOTHING).map((callback) => expandSignature(callback))
  const next = request.chain?.at(-1)
  if (next !== undefined) expanded.push(expandSignature(next, request.chain?.slice(0, -1)))
  return Promise.all(
    expanded.filter((one) => one !== undefined).map((one) => prepare(sender, one, request, [value])),
  )
}

/**
 * Each errback is called with the id of the failed task. One that cannot be called does not stop the others.
 *
 * @throws when trying again helps.
 */
async function prepareErrbacks(sender: Sender, request: TaskRequest): Promise<readonly Prepared[]> {
  const settled = await Promise.allSettled(
    (request.errbacks ?? NOTHING).map(async (errback) => {
      const expanded = expandSignature(errback)
      return expanded === undefined ? undefined : prepare(sender, expanded, request, [request.id])
    }),
  )
  const problems = settled.flatMap((one) => (one.status === 'rejected' ? [toError(one.reason)] : []))
  const again = problems.find((error) => error instanceof BrokerError && error.retryable)
  if (again !== undefined) throw again
  const prepared = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  return [...prepared.filter((one) => one !== undefined), ...problems.map(asProblem)]
}

/** One callback is called by itself; of several, groups are too, and the others are one new group. */
function asCalled(callbacks: readonly WireSignature[]): readonly WireSignature[] {
  if (callbacks.length < 2) return callbacks
  const groups = callbacks.filter((callback) => callback.subtask_type === 'group')
  const others = callbacks.filter((callback) => callback.subtask_type !== 'group')
  return others.length === 0 ? groups : [...groups, groupOf(others)]
}

async function prepare(
  sender: Sender,
  expanded: ExpandedSignature,
  request: TaskRequest,
  given: readonly unknown[],
): Promise<Prepared> {
  if (expanded.kind === 'task') return asOne(await prepareCall(sender, expanded.call, request, given))
  const calls = await Promise.all(expanded.calls.map((call) => prepareCall(sender, call, request, given)))
  return { calls, tuple: [[expanded.id, null], calls.map(toTuple)] }
}

/** What the caller adds wins over what a signature says of its lineage; a client waits where it waited before. */
function prepareCall(
  sender: Sender,
  call: PlainCall,
  request: TaskRequest,
  given: readonly unknown[],
): Promise<PreparedCall> {
  const { signature } = call
  const { options, embed } = fromWireOptions(signature.options)
  const kwargs = isRecord(signature.kwargs) ? signature.kwargs : {}
  const args = signature.immutable === true ? signature.args : [...given, ...signature.args]
  const { rootId, id: parentId, replyTo } = request
  const inherited: CallOptions = replyTo === undefined ? {} : { replyTo }
  const lineage: CallOptions = { rootId, parentId, addToParent: false }
  const chain = [...call.chain, ...(embed.chain ?? NOTHING)]
  const carried: Partial<Embed> = { ...embed, chain: chain.length === 0 ? null : chain }
  return sender.prepare({
    name: signature.task,
    args,
    kwargs,
    options: { ...inherited, ...options, ...lineage },
    embed: carried,
  })
}

function asOne(call: PreparedCall): Prepared {
  return { calls: [call], tuple: toTuple(call) }
}

function asProblem(problem: Error): Prepared {
  return { calls: NOTHING, tuple: undefined, problem }
}

function toTuple(call: PreparedCall): unknown {
  return [[call.taskId, null], null]
}

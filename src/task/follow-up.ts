import type { Outgoing } from '../broker/contract.js'
import { fromWireOptions, isWireSignature } from '../canvas/wire-options.js'
import { UnsupportedError } from '../errors/errors.js'
import type { Embed, TaskMessage, WireSignature } from '../message/task-message.js'
import { isRecord } from '../util/record.js'
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
  /** Ids of later chain elements that share a failure. */
  readonly failedChain: readonly string[]
}

/** What there is to do when a task carries nothing. */
const NOTHING: readonly never[] = []

/** Whether the end of a task brings anything about; asked first, because most bring nothing. */
export function hasFollowUps(request: TaskRequest, outcome: Outcome): boolean {
  if (outcome.kind === 'retry') return true
  return outcome.kind === 'failure'
    ? request.errbacks !== null || request.chain !== null
    : request.callbacks !== null || request.chain !== null
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
  const calls = await prepareAll(sender, message, request, outcome)
  const children = calls.length === 0 ? outcome.children : [...outcome.children, ...calls.map(toTuple)]
  const failedChain = outcome.kind === 'failure' ? chainIds(request) : NOTHING
  return { publish: await Promise.all(calls.map((call) => sender.ready(call))), children, failedChain }
}

async function prepareAll(
  sender: Sender,
  message: TaskMessage,
  request: TaskRequest,
  outcome: Outcome,
): Promise<readonly PreparedCall[]> {
  switch (outcome.kind) {
    case 'retry':
      return [await sender.prepareRetry(message, request, outcome.retry)]
    case 'success':
      return prepareNext(sender, request, outcome.value)
    case 'failure': {
      const errbacks = (request.errbacks ?? NOTHING).flatMap((errback) => expand(errback))
      return Promise.all(errbacks.map((step) => prepareStep(sender, step, request, [request.id])))
    }
    case 'ignore':
    case 'reject':
      return NOTHING
  }
}

function prepareNext(sender: Sender, request: TaskRequest, value: unknown): Promise<readonly PreparedCall[]> {
  const steps = (request.callbacks ?? NOTHING).flatMap((callback) => expand(callback))
  const next = request.chain?.at(-1)
  if (next !== undefined) steps.push(...expand(next, request.chain?.slice(0, -1)))
  return Promise.all(steps.map((step) => prepareStep(sender, step, request, [value])))
}

/** A plain signature, and the rest of the chain it starts. */
interface Step {
  readonly signature: WireSignature
  readonly chain: readonly WireSignature[]
}

/**
 * The messages that one signature stands for: a group is its members, a chain its first task with the rest behind it.
 *
 * @throws {@link UnsupportedError} for a chord.
 */
function expand(signature: WireSignature, chain: readonly WireSignature[] = NOTHING): Step[] {
  switch (signature.subtask_type) {
    case 'group':
      return tasksOf(signature).flatMap((member) => expand(member, chain))
    case 'chain': {
      const [first, ...rest] = tasksOf(signature)
      return first === undefined ? [] : expand(first, [...chain, ...rest.reverse()])
    }
    case 'chord':
      throw new UnsupportedError('a chord cannot be called from here yet; its task is set aside')
    default:
      return [{ signature, chain }]
  }
}

function tasksOf(signature: WireSignature): readonly WireSignature[] {
  const tasks = signature.kwargs['tasks']
  return Array.isArray(tasks) ? tasks.filter(isWireSignature) : NOTHING
}

async function prepareStep(
  sender: Sender,
  step: Step,
  request: TaskRequest,
  given: readonly unknown[],
): Promise<PreparedCall> {
  const { signature } = step
  const { options, embed } = fromWireOptions(signature.options)
  const kwargs = isRecord(signature.kwargs) ? signature.kwargs : {}
  const args = signature.immutable === true ? signature.args : [...given, ...signature.args]
  const lineage: CallOptions = { rootId: request.rootId, parentId: request.id, addToParent: false }
  const chain = [...step.chain, ...(embed.chain ?? NOTHING)]
  const carried: Partial<Embed> = { ...embed, chain: chain.length === 0 ? null : chain }
  return sender.prepare({
    name: signature.task,
    args,
    kwargs,
    options: { ...lineage, ...options },
    embed: carried,
  })
}

function toTuple(call: PreparedCall): unknown {
  return [[call.taskId, null], null]
}

function chainIds(request: TaskRequest): readonly string[] {
  const ids = (request.chain ?? NOTHING).map((element) => element.options['task_id'])
  return ids.filter((id) => typeof id === 'string')
}

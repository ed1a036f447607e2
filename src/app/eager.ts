import { randomUUID } from 'node:crypto'

import type { TaskRecord } from '../backend/contract.js'
import { fromWireOptions, toWireLinks } from '../canvas/wire-options.js'
import { TaskNotRegisteredError } from '../errors/errors.js'
import type { ErrorRegistry } from '../message/error-registry.js'
import { createResultCodec } from '../message/result-codec.js'
import type { Codecs } from '../message/codecs.js'
import type { WireSignature } from '../message/task-message.js'
import { EagerResult, type EagerOutcome } from '../result/eager-result.js'
import type { StateUpdate } from '../task/context.js'
import type { TaskDefinition } from '../task/definition.js'
import { executeTask, runHandlers } from '../task/execute.js'
import type { TaskLogger } from '../task/logger.js'
import type { Outcome } from '../task/outcome.js'
import type { TaskPort } from '../task/port.js'
import type { DeliveryInfo, TaskRequest } from '../task/request.js'
import type { TaskCall } from '../task/sender.js'
import type { EagerOptions } from '../task/task.js'
import { isRecord } from '../util/record.js'

/** What running a task here needs. */
export interface EagerParts {
  readonly tasks: ReadonlyMap<string, TaskDefinition>
  readonly codecs: Codecs
  readonly errors: ErrorRegistry
  readonly logger: TaskLogger
  /** Name of the task serializer. */
  readonly serializer: string
  readonly propagates: boolean
  /** Keeps the result where others find it; absent unless `taskStoreEagerResult` says so. */
  readonly store?: (record: TaskRecord) => Promise<void>
}

const NO_DELIVERY: DeliveryInfo = {
  exchange: '',
  routingKey: '',
  queue: '',
  priority: undefined,
  redelivered: false,
  deliveryCount: 0,
}

/**
 * Run a task in this process as a worker would: arguments are serialised and read back, retries run at once, handlers
 * and linked tasks are called.
 *
 * @throws whatever the task failed with, when `throw` (or `taskEagerPropagates`) says so.
 * @source Celery 5.7, `celery/app/task.py`, `Task.apply`.
 */
export async function runEagerly(
  parts: EagerParts,
  definition: TaskDefinition,
  args: readonly unknown[],
  options: EagerOptions = {},
): Promise<EagerResult> {
  const { outcome, request } = await runTries(
    parts,
    eagerRequest(parts, definition, args, options),
    definition,
  )
  await storeEnd(parts, request.id, outcome)
  const links =
    outcome.kind === 'success'
      ? toWireLinks(options.link)
      : outcome.kind === 'failure'
        ? toWireLinks(options.linkError)
        : null
  const given = outcome.kind === 'success' ? outcome.value : request.id
  for (const link of links ?? []) await runLink(parts, link, given)
  if (outcome.kind === 'failure' && (options.throw ?? parts.propagates)) throw outcome.failure.error
  return new EagerResult(toEagerOutcome(definition, request, outcome))
}

async function storeEnd({ store }: EagerParts, taskId: string, outcome: Outcome): Promise<void> {
  if (store === undefined) return
  const end = { taskId, children: outcome.children, doneAtMs: Date.now() }
  if (outcome.kind === 'success') await store({ ...end, state: 'SUCCESS', result: outcome.value })
  if (outcome.kind !== 'failure') return
  const { exception, traceback } = outcome.failure
  await store({ ...end, state: 'FAILURE', result: exception, traceback })
}

async function runTries(
  parts: EagerParts,
  first: TaskRequest,
  definition: TaskDefinition,
): Promise<{ readonly outcome: Outcome; readonly request: TaskRequest }> {
  const port = eagerPort(parts)
  let request = first
  for (;;) {
    const outcome = await executeTask(definition, request, port)
    await runHandlers(definition, request, outcome, parts.logger)
    if (outcome.kind !== 'retry') return { outcome, request }
    const { args = request.args, kwargs = request.kwargs } = outcome.retry
    request = { ...request, args, kwargs, retries: request.retries + 1 }
  }
}

async function runLink(parts: EagerParts, link: WireSignature, given: unknown): Promise<void> {
  const definition = parts.tasks.get(link.task)
  if (definition === undefined) {
    throw new TaskNotRegisteredError(link.task, `the linked task "${link.task}" is not registered here`)
  }
  const args = link.immutable === true ? link.args : [given, ...link.args]
  const { embed } = fromWireOptions(link.options)
  await runEagerly(parts, definition, args, {
    kwargs: link.kwargs,
    ...(embed.callbacks == null ? {} : { link: embed.callbacks }),
    ...(embed.errbacks == null ? {} : { linkError: embed.errbacks }),
  })
}

function eagerRequest(
  parts: EagerParts,
  definition: TaskDefinition,
  args: readonly unknown[],
  options: EagerOptions,
): TaskRequest {
  const codec = createResultCodec(parts.serializer, parts.codecs)
  // What a worker would get: the arguments as they read back.
  const copiedArgs: unknown = codec.decode(codec.encode(args))
  const copiedKwargs: unknown = codec.decode(codec.encode(options.kwargs ?? {}))
  return {
    ...localRequest(definition.name, isArray(copiedArgs) ? copiedArgs : [], options.taskId ?? randomUUID()),
    kwargs: isRecord(copiedKwargs) ? copiedKwargs : {},
    retries: options.retries ?? 0,
    isEager: true,
    calledDirectly: false,
  }
}

function isArray(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}

/** What a call that is not sent keeps of its options. */
export function eagerOptionsOf({ kwargs, options }: TaskCall): EagerOptions {
  const { link, linkError, taskId } = options
  return {
    kwargs,
    ...(link === undefined ? {} : { link }),
    ...(linkError === undefined ? {} : { linkError }),
    ...(taskId === undefined ? {} : { taskId }),
  }
}

/** The request of a call that no message brought. */
export function localRequest(task: string, args: readonly unknown[], id: string): TaskRequest {
  return {
    id,
    task,
    args,
    kwargs: {},
    retries: 0,
    rootId: id,
    parentId: undefined,
    group: undefined,
    groupIndex: undefined,
    callbacks: null,
    errbacks: null,
    chain: null,
    chord: null,
    etaMs: undefined,
    expiresMs: undefined,
    isEager: false,
    calledDirectly: true,
    hostname: '',
    origin: undefined,
    correlationId: id,
    replyTo: undefined,
    timelimit: [undefined, undefined],
    ignoreResult: undefined,
    shadow: undefined,
    replacedTaskNesting: 0,
    stampedHeaders: [],
    stamps: {},
    deliveryInfo: NO_DELIVERY,
    headers: {},
    properties: {},
    utc: true,
  }
}

/** States are not stored and nothing aborts. */
export function eagerPort(parts: Pick<EagerParts, 'errors' | 'logger'>): TaskPort {
  const controller = new AbortController()
  return {
    signal: () => controller.signal,
    logger: parts.logger,
    errors: parts.errors,
    updateState: async (_update: StateUpdate) => undefined,
  }
}

function toEagerOutcome(definition: TaskDefinition, request: TaskRequest, outcome: Outcome): EagerOutcome {
  const named = { taskId: request.id, taskName: definition.name, retries: request.retries }
  switch (outcome.kind) {
    case 'success':
      return { ...named, state: 'SUCCESS', value: outcome.value }
    case 'failure':
      return {
        ...named,
        state: 'FAILURE',
        error: outcome.failure.error,
        traceback: outcome.failure.traceback,
      }
    case 'retry':
      return {
        ...named,
        state: 'RETRY',
        error: outcome.retry.failure.error,
        traceback: outcome.retry.failure.traceback,
      }
    case 'ignore':
      return { ...named, state: 'IGNORED' }
    case 'reject':
      return { ...named, state: 'REJECTED' }
  }
}

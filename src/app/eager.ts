import { randomUUID } from 'node:crypto'

import type { ResultBackend, TaskRecord } from '../backend/contract.js'
import type { Config } from '../config/config.js'
import { fromWireOptions, toWireLinks } from '../canvas/wire-options.js'
import { TaskError, TaskNotRegisteredError } from '../errors/errors.js'
import type { ErrorRegistry } from '../message/error/error-registry.js'
import { createResultCodec, type ResultCodec } from '../message/result-codec.js'
import type { Codecs } from '../message/codecs.js'
import type { WireSignature } from '../message/task-message.js'
import { EagerResult, type EagerOutcome } from '../result/eager-result.js'
import { checkCall } from '../task/arguments.js'
import { checkTaskCall } from '../task/check-call.js'
import type { StateUpdate, TaskContext } from '../task/context.js'
import type { TaskDefinition } from '../task/definition.js'
import { callErrback, sortErrbacks } from '../task/errbacks.js'
import { executeTask, runHandlers, toFailure } from '../task/execute.js'
import { guardLogger, type TaskLogger } from '../task/logger.js'
import type { Outcome } from '../task/outcome.js'
import type { TaskPort } from '../task/port.js'
import type { DeliveryInfo, TaskRequest } from '../task/request.js'
import { RunningTask } from '../task/running-task.js'
import type { TaskCall } from '../task/sender.js'
import type { EagerOptions } from '../task/task.js'
import { isRecord } from '../util/record.js'
import { refuseUnknown, type KnownMembers } from '../util/known-members.js'

/** What running tasks in this process needs of their app. */
export interface EagerHost {
  readonly tasks: ReadonlyMap<string, TaskDefinition>
  readonly codecs: Codecs
  readonly errors: ErrorRegistry
  readonly logger: TaskLogger
  config(): Config
  prepareCodecs(): Promise<void>
  optionalBackend(): Promise<ResultBackend | undefined>
}

/** The app once its codecs are ready, with its settings as they are now. */
interface EagerParts {
  readonly host: EagerHost
  readonly config: Config
  readonly logger: TaskLogger
  /** Writes and reads results. */
  readonly results: ResultCodec
}

const NO_DELIVERY: DeliveryInfo = {
  exchange: '',
  routingKey: '',
  queue: '',
  priority: undefined,
  redelivered: false,
  deliveryCount: 0,
}

const EAGER_OPTIONS = {
  kwargs: true,
  throw: true,
  taskId: true,
  retries: true,
  link: true,
  linkError: true,
  serializer: true,
  ignoreResult: true,
} satisfies KnownMembers<LocalOptions>

/**
 * Run a task in this process as a worker would: arguments and result are serialised and read back, retries run at once,
 * handlers and linked tasks are called.
 *
 * @throws whatever the task failed with, when `throw` (or `taskEagerPropagates`) says so.
 * @source Celery 5.7, `celery/app/task.py`, `Task.apply`.
 */
export async function runEagerly(
  host: EagerHost,
  definition: TaskDefinition,
  args: readonly unknown[],
  options: EagerOptions,
): Promise<EagerResult> {
  const { name } = definition
  refuseUnknown(options, EAGER_OPTIONS, `apply of ${name}`, TaskError)
  const { throw: _throw, retries: _retries, kwargs = {}, ...given } = options
  checkTaskCall({ name, args, kwargs, options: given })
  return runLocally(await partsOf(host), definition, args, options)
}

async function runLocally(
  parts: EagerParts,
  definition: TaskDefinition,
  args: readonly unknown[],
  options: LocalOptions,
): Promise<EagerResult> {
  const serializer = options.serializer ?? definition.options.serializer ?? parts.config.taskSerializer
  const { codecs } = parts.host
  await codecs.serializers.prepare([serializer])
  const codec = createResultCodec(serializer, codecs)
  const run: EagerRun = { parts, definition, codec, isIgnored: isIgnored(parts, definition, options) }
  const { outcome, request } = await runTries(run, eagerRequest(run, args, options))
  if (parts.config.taskStoreEagerResult && !run.isIgnored) await storeEnd(parts, request.id, outcome)
  await runLinks(parts, request, outcome, options)
  if (outcome.kind === 'failure' && (options.throw ?? parts.config.taskEagerPropagates))
    throw outcome.failure.error
  return new EagerResult(toEagerOutcome(definition, request, outcome))
}

/**
 * Run a call here that would otherwise be sent.
 *
 * @throws what sending it would throw: `TaskArgumentsError`, `TaskError`, `EncodeError`.
 */
export async function callEagerly(
  host: EagerHost,
  definition: TaskDefinition,
  call: TaskCall,
): Promise<EagerResult> {
  const parts = await partsOf(host)
  checkTaskCall(call)
  await checkCall(definition, call.args, call.kwargs, parts.config.strictTyping)
  return runLocally(parts, definition, call.args, eagerOptionsOf(call))
}

/** The context of a task that is called as a function. */
export function directContext(
  host: EagerHost,
  { name }: TaskDefinition,
  args: readonly unknown[],
): TaskContext {
  return new RunningTask(name, localRequest(name, args, ''), eagerPort(host))
}

async function partsOf(host: EagerHost): Promise<EagerParts> {
  await host.prepareCodecs()
  const config = host.config()
  const results = createResultCodec(config.resultSerializer, host.codecs)
  return { host, config, logger: guardLogger(host.logger), results }
}

/** Options of a call that runs here instead of being sent. */
interface LocalOptions extends EagerOptions {
  readonly serializer?: string
  readonly ignoreResult?: boolean
}

/** One task that runs here. */
interface EagerRun {
  readonly parts: EagerParts
  readonly definition: TaskDefinition
  /** Writes and reads arguments. */
  readonly codec: ResultCodec
  readonly isIgnored: boolean
}

function isIgnored(parts: EagerParts, { options: own }: TaskDefinition, options: LocalOptions): boolean {
  return options.ignoreResult ?? own.ignoreResult ?? parts.config.taskIgnoreResult
}

async function storeEnd({ host }: EagerParts, taskId: string, outcome: Outcome): Promise<void> {
  if (outcome.kind !== 'success' && outcome.kind !== 'failure') return
  const end = { taskId, children: outcome.children, doneAtMs: Date.now() }
  const record: TaskRecord =
    outcome.kind === 'success'
      ? { ...end, state: 'SUCCESS', result: outcome.value }
      : { ...end, state: 'FAILURE', result: outcome.failure.exception, traceback: outcome.failure.traceback }
  const backend = await host.optionalBackend()
  await backend?.store([record], { ttlMs: host.config().resultExpiresMs })
}

async function runTries(
  run: EagerRun,
  first: TaskRequest,
): Promise<{ readonly outcome: Outcome; readonly request: TaskRequest }> {
  const { parts, definition } = run
  const port = eagerPort({ errors: parts.host.errors, logger: parts.logger, results: parts.results })
  let request = first
  for (;;) {
    const ended = await executeTask(definition, request, port)
    const { outcome, next } = written(run, request, ended)
    // Handlers are given what the task returned, as a worker does it.
    await runHandlers(definition, request, outcome.kind === 'success' ? ended : outcome, parts.logger)
    if (next === undefined) return { outcome, request }
    request = next
  }
}

/** An end as others read it, with the request of the next try; a failure where something in it cannot be written. */
function written(
  run: EagerRun,
  request: TaskRequest,
  ended: Outcome,
): { readonly outcome: Outcome; readonly next?: TaskRequest } {
  const { results } = run.parts
  try {
    if (ended.kind === 'success' && !run.isIgnored) {
      return { outcome: { ...ended, value: results.decode(results.encode(ended.value)) } }
    }
    if (ended.kind !== 'retry') return { outcome: ended }
    const { args = request.args, kwargs = request.kwargs } = ended.retry
    return {
      outcome: ended,
      next: { ...request, ...copied(run.codec, args, kwargs), retries: request.retries + 1 },
    }
  } catch (error) {
    const failure = toFailure(error, run.parts.host)
    return { outcome: { kind: 'failure', failure, expected: false, children: ended.children } }
  }
}

async function runLinks(
  parts: EagerParts,
  request: TaskRequest,
  outcome: Outcome,
  { link, linkError }: EagerOptions,
): Promise<void> {
  if (outcome.kind === 'success') {
    for (const one of toWireLinks(link) ?? []) await runLink(parts, one, outcome.value)
  }
  if (outcome.kind === 'failure') {
    const { logger, host } = parts
    const { here, sent } = sortErrbacks(toWireLinks(linkError) ?? [], host.tasks)
    const runner = { errors: host.errors, logger, execute: executeTask }
    for (const one of here) await callErrback(runner, one, { request, failure: outcome.failure })
    for (const one of sent) await runLink(parts, one, request.id)
  }
}

async function runLink(parts: EagerParts, link: WireSignature, given: unknown): Promise<void> {
  const definition = parts.host.tasks.get(link.task)
  if (definition === undefined) {
    throw new TaskNotRegisteredError(link.task, `the linked task "${link.task}" is not registered here`)
  }
  const args = link.immutable === true ? link.args : [given, ...link.args]
  const { embed } = fromWireOptions(link.options)
  await runLocally(parts, definition, args, {
    kwargs: link.kwargs,
    ...(embed.callbacks == null ? {} : { link: embed.callbacks }),
    ...(embed.errbacks == null ? {} : { linkError: embed.errbacks }),
  })
}

function eagerRequest(
  { definition, codec }: EagerRun,
  args: readonly unknown[],
  options: EagerOptions,
): TaskRequest {
  return {
    ...localRequest(definition.name, [], options.taskId ?? randomUUID()),
    ...copied(codec, args, options.kwargs ?? {}),
    retries: options.retries ?? 0,
    isEager: true,
    calledDirectly: false,
  }
}

/** What a worker would get: the arguments as they read back. @throws `EncodeError` for what cannot be written. */
function copied(
  codec: ResultCodec,
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
): Pick<TaskRequest, 'args' | 'kwargs'> {
  const copiedArgs: unknown = codec.decode(codec.encode(args))
  const copiedKwargs: unknown = codec.decode(codec.encode(kwargs))
  return {
    args: isArray(copiedArgs) ? copiedArgs : [],
    kwargs: isRecord(copiedKwargs) ? copiedKwargs : {},
  }
}

function isArray(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}

/** What a call that is not sent keeps of its options. */
function eagerOptionsOf({ kwargs, options }: TaskCall): LocalOptions {
  const { link, linkError, taskId, serializer, ignoreResult } = options
  return {
    kwargs,
    ...(link === undefined ? {} : { link }),
    ...(linkError === undefined ? {} : { linkError }),
    ...(taskId === undefined ? {} : { taskId }),
    ...(serializer === undefined ? {} : { serializer }),
    ...(ignoreResult === undefined ? {} : { ignoreResult }),
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

/** States are written but not stored, and nothing aborts. */
export function eagerPort(
  parts: Pick<EagerHost, 'errors' | 'logger'> & { readonly results?: ResultCodec },
): TaskPort {
  const controller = new AbortController()
  return {
    signal: () => controller.signal,
    logger: parts.logger,
    errors: parts.errors,
    updateState: async ({ meta }: StateUpdate) => void parts.results?.encode(meta),
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

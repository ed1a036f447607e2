import { randomUUID } from 'node:crypto'

import type { Outgoing } from '../broker/contract.js'
import { delayedIfAble } from '../broker/delay-limit.js'
import type { StoreClock } from '../broker/store-clock.js'
import { toWireLinks } from '../canvas/wire-options.js'
import type { Config } from '../config/config.js'
import { BrokerConnectionError, TaskError, UnsupportedError } from '../errors/errors.js'
import { callerHeaders } from '../message/caller-headers.js'
import type { Embed, OutgoingTask, TaskMessage } from '../message/task-message.js'
import type { Message, MessageProperties } from '../message/message.js'
import { checkCall, checkFit } from '../task/arguments.js'
import type { CallOptions } from '../task/call-options.js'
import { checkTaskCall } from '../task/check-call.js'
import { currentTask } from '../task/context.js'
import type { TaskDefinition } from '../task/definition.js'
import type { TaskOptions } from '../task/options.js'
import type { GrantedRetry } from '../task/outcome.js'
import type { TaskRequest } from '../task/request.js'
import type { PreparedCall, PublishOptions, Sendable, Sender, TaskCall } from '../task/sender.js'
import type { Clock } from '../util/clock.js'
import { withDeadline } from '../util/deadline.js'
import { toMs, type DurationInput } from '../util/duration.js'
import type { Writable } from '../util/writable.js'
import { policyOf, type PublishConnection, type Publisher } from './publisher.js'
import type { AppQueue } from './queues.js'
import type { RoutedMessage, Router } from './routes.js'

/** What the sender is made of. */
export interface SenderParts {
  readonly config: Config
  readonly router: Router
  readonly publisher: Publisher
  readonly clock: Clock
  /** The broker's clock: lengths of time in a call are counted on it. */
  readonly storeClock: StoreClock
  readonly tasks: ReadonlyMap<string, TaskDefinition>
  /** Write a task into a message. */
  readonly encode: (task: OutgoingTask) => Message
  /** Load what a serializer needs, when it is not one of the settings' own. */
  readonly prepareSerializer: (name: string) => Promise<void>
  /** The connection that messages are published on. */
  readonly connection: PublishConnection
  /** Where results come to, once somebody listens there; absent where results are stored. */
  readonly replyTo?: () => Promise<string | undefined>
  /** Longest task id that the result backend keeps; `undefined` for any, or where it cannot be asked. */
  readonly maxIdLength: () => Promise<number | undefined>
}

/** Ids up to this length are kept by every backend. */
const SHORT_ID = 100

/** Longest wait for the time of the broker, in milliseconds. */
const ASK_MS = 1_000
const NO_OPTIONS: TaskOptions = {}
const NO_STAMPS: Readonly<Record<string, unknown>> = {}

/** Turns calls into messages and messages into confirmed publishes. */
export class AppSender implements Sender {
  readonly #parts: SenderParts

  constructor(parts: SenderParts) {
    this.#parts = parts
  }

  async prepare(call: TaskCall): Promise<PreparedCall> {
    const { config, router, tasks } = this.#parts
    checkTaskCall(call)
    const definition = tasks.get(call.name)
    const { args, kwargs } = call
    if (definition?.options.args !== undefined) await checkCall(definition, args, kwargs, config.strictTyping)
    else if (definition !== undefined) checkFit(definition, args, kwargs, config.strictTyping)
    const { name, options } = call
    const routable = { name, args, kwargs, options, task: definition }
    const routed = router.isPlain ? router.resolve(routable) : await router.route(routable)
    const filled = routed.options === options ? call : { ...call, options: routed.options }
    if (filled !== call) checkTaskCall(filled)
    const own = definition?.options ?? NO_OPTIONS
    if (isRelative(filled.options, own)) await this.#askForTime()
    const task = this.#toTask(filled, own, routed)
    if (task.serializer !== 'json') await this.#parts.prepareSerializer(task.serializer)
    return this.#toPrepared(await this.#withResult(task), routed)
  }

  /** The task with an address for its result, where results are sent. @throws `TaskError` when its result could not be stored. */
  async #withResult(task: OutgoingTask): Promise<OutgoingTask> {
    const { replyTo } = this.#parts
    if (task.id.length > SHORT_ID) await this.#checkId(task)
    return replyTo === undefined ? task : this.#awaitingReply(task, replyTo)
  }

  /** A broker that does not answer is the publisher's to report; until then this machine's clock has to do. */
  async #askForTime(): Promise<void> {
    const { connection, storeClock, clock } = this.#parts
    const late = (): Error => new BrokerConnectionError('the broker did not tell the time')
    const asking = connection.get().then((broker) => storeClock.refresh(broker))
    await withDeadline(asking, { ms: ASK_MS, clock, late }).catch(() => undefined)
  }

  async #checkId(task: OutgoingTask): Promise<void> {
    if (task.ignoreResult ?? this.#parts.config.taskIgnoreResult) return
    const limit = (await this.#parts.maxIdLength()) ?? Number.POSITIVE_INFINITY
    if (task.id.length <= limit) return
    throw new TaskError(
      `the result backend keeps task ids of at most ${limit} characters, and this one has ${task.id.length}`,
    )
  }

  /** A result that is sent and finds nobody is gone, so whoever wants it listens before the task is sent. */
  async #awaitingReply(
    task: OutgoingTask,
    replyTo: NonNullable<SenderParts['replyTo']>,
  ): Promise<OutgoingTask> {
    const isIgnored = task.ignoreResult ?? this.#parts.config.taskIgnoreResult
    if (isIgnored || task.properties.replyTo !== undefined) return task
    const address = await replyTo()
    return address === undefined ? task : { ...task, properties: { ...task.properties, replyTo: address } }
  }

  async prepareRetry(message: TaskMessage, request: TaskRequest, retry: GrantedRetry): Promise<PreparedCall> {
    const { deliveryInfo } = request
    const priority = this.#parts.router.checkedPriority(retry.priority, message.task)
    const routed = retry.queue === undefined ? undefined : this.#routeTo(retry.queue, message)
    const route = routed?.route ?? { exchange: '', routingKey: deliveryInfo.queue }
    const countdownMs = retry.countdownMs ?? 0
    const task: OutgoingTask = {
      ...withArguments(message, retry),
      retries: message.retries + 1,
      etaMs: retry.etaMs ?? this.#parts.storeClock.now() + countdownMs,
      parentId: message.parentId ?? message.id,
      headers: callerHeaders(message.headers),
      properties: withPriority(message.properties, priority ?? deliveryInfo.priority),
      serializer: message.contentType,
    }
    const due = retry.etaMs === undefined ? { delayMs: countdownMs } : { notBeforeMs: retry.etaMs }
    const outgoing = { route, message: this.#parts.encode(task), ...due }
    return toCall(task, outgoing, routed?.queue)
  }

  /** A retry may go where nothing was sent before. */
  #routeTo(queue: string, { task, args, kwargs }: TaskMessage): RoutedMessage {
    return this.#parts.router.resolve({ name: task, args, kwargs, options: { queue }, task: undefined })
  }

  async ready({ outgoing, queue }: Sendable): Promise<Outgoing> {
    const { connection } = this.#parts
    const broker = await connection.get()
    if (queue !== undefined) await connection.declare(broker, queue)
    return delayedIfAble(broker, outgoing)
  }

  publish(sendable: Sendable, options?: PublishOptions): Promise<void> {
    return this.#parts.publisher.publish(sendable, options)
  }

  async publishWithin(transaction: object, { outgoing, queue }: Sendable): Promise<void> {
    const broker = await this.#parts.connection.get()
    if (broker.publishWithin === undefined) {
      throw new UnsupportedError(
        `broker "${broker.name}" is no SQL database, so a task cannot be sent within a transaction`,
      )
    }
    await broker.publishWithin(transaction, [outgoing], queue === undefined ? [] : [queue])
  }

  #toTask(call: TaskCall, own: TaskOptions, routed: RoutedMessage): OutgoingTask {
    const { options } = call
    const { config, storeClock } = this.#parts
    const parent = currentTask()?.request
    const id = options.taskId ?? randomUUID()
    const nowMs = storeClock.now()
    const task: Writable<OutgoingTask> = {
      id,
      task: call.name,
      args: call.args,
      kwargs: call.kwargs,
      embed: toEmbed(options, call.embed),
      retries: 0,
      rootId: options.rootId ?? parent?.rootId ?? id,
      replacedTaskNesting: 0,
      stamps: options.stamps ?? NO_STAMPS,
      serializer: options.serializer ?? own.serializer ?? config.taskSerializer,
      properties: this.#toProperties(id, options, routed, parent),
    }
    set(task, 'compression', compressionOf(options, own, config))
    setSharedFields(task, options, own, nowMs)
    setCallFields(task, options, nowMs)
    set(task, 'parentId', options.parentId ?? parent?.id)
    return task
  }

  #toProperties(
    id: string,
    options: CallOptions,
    { priority, queue }: RoutedMessage,
    parent: TaskRequest | undefined,
  ): MessageProperties {
    const { config } = this.#parts
    const inherited = config.taskInheritParentPriority ? parent?.deliveryInfo.priority : undefined
    const properties: Writable<MessageProperties> = { correlationId: id }
    set(properties, 'replyTo', options.replyTo)
    set(properties, 'priority', priority ?? inherited ?? config.taskDefaultPriority)
    const deliveryMode = queue?.deliveryMode ?? config.taskDefaultDeliveryMode
    set(properties, 'persistent', options.persistent ?? (deliveryMode === 1 ? false : undefined))
    set(properties, 'extra', options.properties)
    return properties
  }

  #toPrepared(task: OutgoingTask, routed: RoutedMessage): PreparedCall {
    const { config, encode } = this.#parts
    const { options } = routed
    const outgoing = { route: routed.route, message: encode(task) }
    const held = task.etaMs !== undefined && (options.delay ?? config.delay) === 'store'
    const timed = held ? { ...outgoing, ...dueOf(options, task.etaMs) } : outgoing
    const publishing = policyOf(options)
    const prepared = toCall(task, timed, routed.queue)
    return publishing === undefined ? prepared : { ...prepared, publishing }
  }
}

function toCall(task: OutgoingTask, outgoing: Outgoing, queue: AppQueue | undefined): PreparedCall {
  return queue === undefined
    ? { taskId: task.id, task, outgoing }
    : { taskId: task.id, task, outgoing, queue: queue.spec }
}

function compressionOf(options: CallOptions, own: TaskOptions, config: Config): string | undefined {
  return options.compression ?? own.compression ?? config.taskCompression
}

/** What a call can say, and the task when the call does not. */
function setSharedFields(
  task: Writable<OutgoingTask>,
  options: CallOptions,
  own: TaskOptions,
  nowMs: number,
): void {
  set(task, 'expiresMs', expiresOf(options.expires ?? own.expires, nowMs))
  set(task, 'ignoreResult', options.ignoreResult ?? own.ignoreResult)
  set(task, 'timeLimitMs', limitOf(options.timeLimit ?? own.timeLimit))
  set(task, 'softTimeLimitMs', limitOf(options.softTimeLimit ?? own.softTimeLimit))
}

/** What only a call can say. */
function setCallFields(task: Writable<OutgoingTask>, options: CallOptions, nowMs: number): void {
  set(task, 'etaMs', etaOf(options, nowMs))
  set(task, 'groupId', options.groupId)
  set(task, 'groupIndex', options.groupIndex)
  set(task, 'shadow', options.shadow)
  set(task, 'headers', options.headers)
  set(task, 'argsRepr', options.argsRepr)
  set(task, 'kwargsRepr', options.kwargsRepr)
  if (options.stamps !== undefined) task.stampedHeaders = Object.keys(options.stamps)
}

/** A countdown is counted by the store from the moment it has the message; an `eta` is compared on its clock. */
function dueOf(options: CallOptions, etaMs: number): Pick<Outgoing, 'delayMs' | 'notBeforeMs'> {
  return options.countdown === undefined
    ? { notBeforeMs: etaMs }
    : { delayMs: Math.max(0, toMs(options.countdown, 'countdown')) }
}

function toEmbed(options: CallOptions, embed: Partial<Embed> = {}): Embed {
  return {
    callbacks: joined(embed.callbacks, toWireLinks(options.link)),
    errbacks: joined(embed.errbacks, toWireLinks(options.linkError)),
    chain: embed.chain ?? null,
    chord: embed.chord ?? null,
  }
}

function joined<Item>(
  one: readonly Item[] | null | undefined,
  other: readonly Item[] | null,
): readonly Item[] | null {
  if (one === null || one === undefined) return other
  return other === null ? one : [...one, ...other]
}

function etaOf(options: CallOptions, nowMs: number): number | undefined {
  const { countdown, eta } = options
  if (countdown !== undefined && eta !== undefined) throw new TaskError('expected countdown or eta, got both')
  if (eta !== undefined) return eta.getTime()
  return countdown === undefined ? undefined : nowMs + toMs(countdown, 'countdown')
}

function expiresOf(expires: DurationInput | Date | undefined, nowMs: number): number | undefined {
  if (expires === undefined) return undefined
  return expires instanceof Date ? expires.getTime() : nowMs + toMs(expires, 'expires')
}

/** Whether a moment follows from a length of time. */
function isRelative({ countdown, expires }: CallOptions, own: TaskOptions): boolean {
  const expiry = expires ?? own.expires
  return countdown !== undefined || (expiry !== undefined && !(expiry instanceof Date))
}

function limitOf(limit: DurationInput | undefined): number | undefined {
  return limit === undefined ? undefined : toMs(limit, 'timeLimit')
}

function withPriority(properties: MessageProperties, priority: number | undefined): MessageProperties {
  return priority === undefined ? properties : { ...properties, priority }
}

/** The message with the arguments of its next try; new ones are printed anew. */
function withArguments(message: TaskMessage, retry: GrantedRetry): TaskMessage {
  const { args, kwargs } = retry
  if (args === undefined && kwargs === undefined) return message
  const { argsRepr: _args, kwargsRepr: _kwargs, ...rest } = message
  return { ...rest, args: args ?? message.args, kwargs: kwargs ?? message.kwargs }
}

/** Set an optional field; it stays absent where there is no value. */
function set<Shape, Key extends keyof Shape>(target: Shape, key: Key, value: Shape[Key] | undefined): void {
  if (value !== undefined) target[key] = value
}

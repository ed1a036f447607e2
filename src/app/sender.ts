import { randomUUID } from 'node:crypto'

import type { Outgoing } from '../broker/contract.js'
import { delayedIfAble } from '../broker/delay-limit.js'
import { StoreClock } from '../broker/store-clock.js'
import { toWireLinks } from '../canvas/wire-options.js'
import { awaitsReplies } from '../config/backend-choice.js'
import type { Config } from '../config/config.js'
import { BrokerConnectionError, TaskError, UnsupportedError } from '../errors/errors.js'
import type { Codecs } from '../message/codecs.js'
import { callerHeaders } from '../message/caller-headers.js'
import { encodeTaskV1 } from '../message/encode-task-v1.js'
import { encodeTask } from '../message/encode-task.js'
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
import type { PreparedCall, Sendable, Sender, TaskCall } from '../task/sender.js'
import { compose, type Around } from '../util/around.js'
import type { Clock } from '../util/clock.js'
import { withDeadline } from '../util/deadline.js'
import { toMs, type DurationInput } from '../util/duration.js'
import type { Writable } from '../util/writable.js'
import type { Connections } from './connections.js'
import { policyOf, Publisher } from './publisher.js'
import { QueueTable, type AppQueue } from './queues.js'
import { Router, type PriorityLimit, type RoutedMessage } from './routes.js'

/** What the sender is made of. */
export interface SenderParts {
  readonly config: Config
  readonly codecs: Codecs
  readonly clock: Clock
  readonly tasks: ReadonlyMap<string, TaskDefinition>
  /** Which priorities the broker has. */
  readonly priorityLimit: () => PriorityLimit
  /** Functions around publishing. */
  readonly around: readonly Around<PreparedCall, void>[]
  /** The connections that messages are published on, and results come from. */
  readonly connections: Connections
}

/** Ids up to this length are kept by every backend. */
const SHORT_ID = 100

/** Longest wait for the time of the broker, in milliseconds. */
const ASK_MS = 1_000
const NO_OPTIONS: TaskOptions = {}
const NO_STAMPS: Readonly<Record<string, unknown>> = {}

/** Turns calls into messages and messages into confirmed publishes, by one state of the settings. */
export class AppSender implements Sender {
  readonly config: Config
  readonly queues: QueueTable
  readonly #parts: SenderParts
  readonly #router: Router
  readonly #publisher: Publisher
  /** The broker's clock: lengths of time in a call are counted on it. */
  readonly #storeClock: StoreClock
  readonly #awaitsReplies: boolean

  constructor(parts: SenderParts) {
    const { config, clock, connections } = parts
    this.config = config
    this.queues = new QueueTable(config)
    this.#parts = parts
    this.#router = new Router(config, this.queues, parts.priorityLimit)
    this.#publisher = new Publisher(connections, {
      retry: config.taskPublishRetry,
      retryPolicy: config.taskPublishRetryPolicy,
      timeoutMs: config.publishTimeoutMs,
      clock,
    })
    this.#storeClock = new StoreClock({ clock, elapsedMs: () => performance.now() })
    this.#awaitsReplies = awaitsReplies(config)
  }

  async send(call: TaskCall, innermost?: Around<PreparedCall, void>): Promise<PreparedCall> {
    const { around } = this.#parts
    const { transaction } = call
    const publish = (ready: PreparedCall): Promise<void> =>
      transaction === undefined
        ? this.#publisher.publish(ready, ready.publishing)
        : this.#publishWithin(transaction, ready)
    const prepared = await this.prepare(call)
    const all = innermost === undefined ? around : [...around, innermost]
    await (all.length === 0 ? publish(prepared) : compose(all, publish)(prepared))
    return prepared
  }

  async prepare(call: TaskCall): Promise<PreparedCall> {
    const { config, codecs, tasks } = this.#parts
    const router = this.#router
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
    if (task.serializer !== 'json') await codecs.serializers.prepare([task.serializer])
    return this.#toPrepared(await this.#withResult(task), routed)
  }

  /** The task with an address for its result, where results are sent. @throws `TaskError` when its result could not be stored. */
  async #withResult(task: OutgoingTask): Promise<OutgoingTask> {
    if (task.id.length > SHORT_ID) await this.#checkId(task)
    return this.#awaitsReplies ? this.#awaitingReply(task) : task
  }

  /** A broker that does not answer is the publisher's to report; until then this machine's clock has to do. */
  async #askForTime(): Promise<void> {
    const { connections, clock } = this.#parts
    const late = (): Error => new BrokerConnectionError('the broker did not tell the time')
    const asking = connections.get().then((broker) => this.#storeClock.refresh(broker))
    await withDeadline(asking, { ms: ASK_MS, clock, late }).catch(() => undefined)
  }

  async #checkId(task: OutgoingTask): Promise<void> {
    if (task.ignoreResult ?? this.config.taskIgnoreResult) return
    const backend = await this.#parts.connections.backend().catch(() => undefined)
    const limit = backend?.maxIdLength ?? Number.POSITIVE_INFINITY
    if (task.id.length <= limit) return
    throw new TaskError(
      `the result backend keeps task ids of at most ${limit} characters, and this one has ${task.id.length}`,
    )
  }

  /** A result that is sent and finds nobody is gone, so whoever wants it listens before the task is sent. */
  async #awaitingReply(task: OutgoingTask): Promise<OutgoingTask> {
    const isIgnored = task.ignoreResult ?? this.config.taskIgnoreResult
    if (isIgnored || task.properties.replyTo !== undefined) return task
    const backend = await this.#parts.connections.backend()
    const address = await backend?.replyTo?.()
    return address === undefined ? task : { ...task, properties: { ...task.properties, replyTo: address } }
  }

  async prepareRetry(message: TaskMessage, request: TaskRequest, retry: GrantedRetry): Promise<PreparedCall> {
    const { deliveryInfo } = request
    const priority = this.#router.checkedPriority(retry.priority, message.task)
    const routed = retry.queue === undefined ? undefined : this.#routeTo(retry.queue, message)
    const route = routed?.route ?? { exchange: '', routingKey: deliveryInfo.queue }
    const countdownMs = retry.countdownMs ?? 0
    const task: OutgoingTask = {
      ...withArguments(message, retry),
      retries: message.retries + 1,
      etaMs: retry.etaMs ?? this.#storeClock.now() + countdownMs,
      parentId: message.parentId ?? message.id,
      headers: callerHeaders(message.headers),
      properties: withPriority(message.properties, priority ?? deliveryInfo.priority),
      serializer: message.contentType,
    }
    const due = retry.etaMs === undefined ? { delayMs: countdownMs } : { notBeforeMs: retry.etaMs }
    const outgoing = { route, message: this.#encode(task), ...due }
    return toCall(task, outgoing, routed?.queue)
  }

  /** A retry may go where nothing was sent before. */
  #routeTo(queue: string, { task, args, kwargs }: TaskMessage): RoutedMessage {
    return this.#router.resolve({ name: task, args, kwargs, options: { queue }, task: undefined })
  }

  async ready({ outgoing, queue }: Sendable): Promise<Outgoing> {
    const { connections } = this.#parts
    const broker = await connections.get()
    if (queue !== undefined) await connections.declare(broker, queue)
    return delayedIfAble(broker, outgoing)
  }

  /** Publish as part of a transaction of the application's; nothing is tried again, as that is the transaction's. */
  async #publishWithin(transaction: object, { outgoing, queue }: Sendable): Promise<void> {
    const broker = await this.#parts.connections.get()
    if (broker.publishWithin === undefined) {
      throw new UnsupportedError(
        `broker "${broker.name}" is no SQL database, so a task cannot be sent within a transaction`,
      )
    }
    await broker.publishWithin(transaction, [outgoing], queue === undefined ? [] : [queue])
  }

  #toTask(call: TaskCall, own: TaskOptions, routed: RoutedMessage): OutgoingTask {
    const { options } = call
    const { config } = this
    const parent = currentTask()?.request
    const id = options.taskId ?? randomUUID()
    const nowMs = this.#storeClock.now()
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
    const { config } = this
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
    const { options } = routed
    const outgoing = { route: routed.route, message: this.#encode(task) }
    const held = task.etaMs !== undefined && (options.delay ?? this.config.delay) === 'store'
    const timed = held ? { ...outgoing, ...dueOf(options, task.etaMs) } : outgoing
    const publishing = policyOf(options)
    const prepared = toCall(task, timed, routed.queue)
    return publishing === undefined ? prepared : { ...prepared, publishing }
  }

  #encode(task: OutgoingTask): Message {
    const encode = this.config.taskProtocol === 1 ? encodeTaskV1 : encodeTask
    return encode(task, this.#parts.codecs, this.#storeClock.now())
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

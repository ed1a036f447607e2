import type { TaskMessage, WireSignature } from '../message/task-message.js'

/** How a message came to this worker. */
export interface DeliveryInfo {
  readonly exchange: string
  readonly routingKey: string
  /** The queue the message was claimed from; empty when the task was not called by a message. */
  readonly queue: string
  readonly priority: number | undefined
  /** Whether the message was handed out before. */
  readonly redelivered: boolean
  /** How often it was claimed, this time included. */
  readonly deliveryCount: number
}

/**
 * What a running task knows of its call: Celery's request in camelCase.
 *
 * `headers` and `properties` keep the wire's names. Plain data, so that it can cross threads.
 *
 * @source Celery 5.7, `celery/app/task.py`, `Context`.
 */
export interface TaskRequest {
  readonly id: string
  /** The registered name. */
  readonly task: string
  readonly args: readonly unknown[]
  readonly kwargs: Readonly<Record<string, unknown>>
  /** Retries so far; 0 at the first try. */
  readonly retries: number
  readonly rootId: string
  readonly parentId: string | undefined
  /** Id of the group the task is in. */
  readonly group: string | undefined
  readonly groupIndex: number | undefined
  readonly callbacks: readonly WireSignature[] | null
  readonly errbacks: readonly WireSignature[] | null
  /** The rest of the chain, in reverse order. */
  readonly chain: readonly WireSignature[] | null
  readonly chord: WireSignature | null
  /** Earliest start, in epoch milliseconds. */
  readonly etaMs: number | undefined
  /** Moment after which the task must not start, in epoch milliseconds. */
  readonly expiresMs: number | undefined
  readonly isEager: boolean
  /** Whether the function was called as a function, without a message. */
  readonly calledDirectly: boolean
  /** Node name of the worker, `name@host`. */
  readonly hostname: string
  /** Who sent the message: `gen<pid>@<host>`. */
  readonly origin: string | undefined
  readonly correlationId: string
  readonly replyTo: string | undefined
  /** `[hard, soft]`, in seconds, as on the wire. */
  readonly timelimit: readonly [number | undefined, number | undefined]
  readonly ignoreResult: boolean | undefined
  readonly shadow: string | undefined
  readonly replacedTaskNesting: number
  readonly stampedHeaders: readonly string[]
  readonly stamps: Readonly<Record<string, unknown>>
  readonly deliveryInfo: DeliveryInfo
  readonly headers: Readonly<Record<string, unknown>>
  readonly properties: Readonly<Record<string, unknown>>
  /** Always true: times travel in UTC. */
  readonly utc: true
}

/** Where a request runs. */
export interface RequestPlace {
  readonly hostname: string
  readonly deliveryInfo: DeliveryInfo
  readonly isEager: boolean
}

const seconds = (milliseconds: number | undefined): number | undefined =>
  milliseconds === undefined ? undefined : milliseconds / 1000

/** Make the request of a message. */
export function toRequest(message: TaskMessage, place: RequestPlace): TaskRequest {
  const { embed, properties } = message
  return {
    id: message.id,
    task: message.task,
    args: message.args,
    kwargs: message.kwargs,
    retries: message.retries,
    rootId: message.rootId,
    parentId: message.parentId,
    group: message.groupId,
    groupIndex: message.groupIndex,
    callbacks: embed.callbacks,
    errbacks: embed.errbacks,
    chain: embed.chain,
    chord: embed.chord,
    etaMs: message.etaMs,
    expiresMs: message.expiresMs,
    isEager: place.isEager,
    calledDirectly: false,
    hostname: place.hostname,
    origin: message.origin,
    correlationId: properties.correlationId ?? message.id,
    replyTo: properties.replyTo,
    timelimit: [seconds(message.timeLimitMs), seconds(message.softTimeLimitMs)],
    ignoreResult: message.ignoreResult,
    shadow: message.shadow,
    replacedTaskNesting: message.replacedTaskNesting,
    stampedHeaders: message.stampedHeaders ?? [],
    stamps: message.stamps,
    deliveryInfo: place.deliveryInfo,
    headers: message.headers,
    properties: { ...properties },
    utc: true,
  }
}

import type { MessageProperties } from './message.js'

/** A signature on the wire: Celery's plain object, with keys it does not know kept as they are. */
export interface WireSignature {
  readonly task: string
  readonly args: readonly unknown[]
  readonly kwargs: Readonly<Record<string, unknown>>
  readonly options: Readonly<Record<string, unknown>>
  readonly subtask_type?: string | null
  readonly immutable?: boolean
}

/** The third element of a protocol 2 body: what is called after the task. Kept as it came. */
export interface Embed {
  readonly callbacks: readonly WireSignature[] | null
  readonly errbacks: readonly WireSignature[] | null
  /** The rest of the chain in reverse order: the last element runs next. */
  readonly chain: readonly WireSignature[] | null
  /** Body of the chord that the task is a header member of. */
  readonly chord: WireSignature | null
}

/** What protocol 1 and protocol 2 both say about a task. Times are epoch milliseconds, limits milliseconds. */
export interface TaskFields {
  readonly id: string
  readonly task: string
  readonly args: readonly unknown[]
  readonly kwargs: Readonly<Record<string, unknown>>
  readonly embed: Embed
  /** Name shown in place of `task` in logs and events. */
  readonly shadow?: string
  readonly etaMs?: number
  readonly expiresMs?: number
  readonly groupId?: string
  readonly groupIndex?: number
  readonly retries: number
  readonly timeLimitMs?: number
  readonly softTimeLimitMs?: number
  readonly rootId: string
  readonly parentId?: string
  readonly origin?: string
  /** `undefined` leaves the choice to the task in the worker. */
  readonly ignoreResult?: boolean
  readonly replacedTaskNesting: number
  readonly stampedHeaders?: readonly string[]
  readonly stamps: Readonly<Record<string, unknown>>
  /** Overrides of the printed arguments, to hide secrets. */
  readonly argsRepr?: string
  readonly kwargsRepr?: string
}

/** A task read from a message. */
export interface TaskMessage extends TaskFields {
  readonly protocol: 1 | 2
  /** All headers as they came, the caller's own included. */
  readonly headers: Readonly<Record<string, unknown>>
  readonly properties: MessageProperties
  /** MIME type of the body's serializer, so that a retry can use the same. */
  readonly contentType: string
  /** MIME name of the compressor, if the body was compressed. */
  readonly compression?: string
}

/** A task to write into a message. */
export interface OutgoingTask extends TaskFields {
  /** The caller's own headers, merged flat after Celery's. */
  readonly headers?: Readonly<Record<string, unknown>>
  readonly properties: MessageProperties
  /** Name or MIME type of the serializer. */
  readonly serializer: string
  /** Name or MIME type of the compressor. */
  readonly compression?: string
}

import type { ObjectId } from 'mongodb'

/** What Lovage notes beside a message; Celery's workers do not look at it. */
export interface Marks {
  /** The queue it belongs to while its `queue` is a private name. */
  readonly queue?: string
  /** The claim that holds it. */
  readonly claim?: string
  /** Claims that counted. */
  readonly spent?: number
  readonly handouts?: number
  /** The call that gave it back last. */
  readonly back?: string
  /** The store held it until its time. */
  readonly due?: boolean
  /** When it becomes ready, on the server's clock. */
  readonly dueAt?: Date
}

/** A document of the collection `messages`. */
export interface MessageDocument {
  readonly _id: ObjectId
  readonly payload: string
  readonly queue: string
  /** 9 minus the message's priority: the smallest is served first. */
  readonly priority: number
  /** Kombu's, with its option `ttl`. */
  readonly expire_at?: Date
  readonly lovage?: Marks
}

/** A document of `messages.queues`; kombu has it only with its option `ttl`, and reads `options.arguments`. */
export interface QueueDocument {
  readonly _id: string
  readonly options: { readonly arguments: Readonly<Record<string, unknown>> }
}

/** A document of `messages.routing`. Kombu's own have a `pattern` if and only if they belong to a topic exchange. */
export interface RoutingDocument {
  readonly exchange: string
  readonly queue: string
  readonly routing_key: string
  readonly pattern: string | null
  readonly lovage?: { readonly type: string; readonly arguments: string }
}

/** A document of `messages.broadcast`. */
export interface BroadcastDocument {
  readonly _id: ObjectId
  readonly payload: string
  /** Name of the exchange. */
  readonly queue: string
}

/** The one document of the collection of beat's leader. Its lease ends `leaseMs` after `seen`. */
export interface LeaderDocument {
  readonly _id: string
  readonly candidate: string
  readonly seen: Date
  readonly leaseMs: number
  /** Counts the changes of entries. */
  readonly revision?: number
}

/** An entry of beat. */
export interface BeatEntryDocument {
  readonly _id: string
  /** JSON: its keys may be any. */
  readonly data: string
  readonly lastMs?: number
}

/** An occurrence that was sent. */
export interface OccurrenceDocument {
  readonly _id: string
  readonly entry: string
  readonly atMs: number
  /** Who has begun to send it and is not done, where the server has no transactions. */
  readonly sending?: string
}

/** Somebody who claims. Its lease ends `leaseMs` after `seen`. */
export interface HolderDocument {
  readonly _id: string
  readonly seen: Date
  readonly leaseMs: number
  /** Its lease ran out, and its messages are being given back. */
  readonly ended?: boolean
}

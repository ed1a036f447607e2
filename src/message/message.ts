/** A message as it travels: bytes and metadata, not yet a task. */
export interface Message {
  /** Serialized, and compressed when `headers.compression` says so. A broker never reads or rewrites it. */
  readonly body: Uint8Array
  /** MIME type of the serializer, for example `application/json`. */
  readonly contentType: string
  /** `utf-8` for text, `binary` for bytes. */
  readonly contentEncoding: string
  /** Celery's task headers and the caller's own, under their wire names. */
  readonly headers: Readonly<Record<string, unknown>>
  /** AMQP's basic properties that Celery uses. */
  readonly properties: MessageProperties
}

/** The properties of a message, under our names; a driver translates them to its wire. */
export interface MessageProperties {
  /** The task id; the RPC result backend matches on it. */
  readonly correlationId?: string
  /** Queue for RPC results. */
  readonly replyTo?: string
  /** As the caller wrote it, 0 to 9; larger runs first on Lovage's own stores. */
  readonly priority?: number
  /** The broker may discard the message when it is older than this many milliseconds. */
  readonly expirationMs?: number
  /** `false` for a message that need not survive a broker restart. */
  readonly persistent?: boolean
  /** Properties without a name above (message attributes, group ids), under their wire names. */
  readonly extra?: Readonly<Record<string, unknown>>
}

import { randomUUID } from 'node:crypto'
import type {
  KeepOptions,
  RecordWatch,
  ResultBackend,
  ResultCodec,
  TaskRecord,
} from '../../src/backend/contract.js'
import { readDocument, writeDocument } from '../../src/backend/result-document.js'
import type { Broker, Outgoing } from '../../src/broker/contract.js'
import {
  BackendConnectionError,
  BackendError,
  LovageError,
  PublishError,
  QueueNotFoundError,
} from '../../src/errors/errors.js'
import type { Clock } from '../../src/util/clock.js'
import { Mailbox } from './mailbox.js'
import { ReplyListener } from './reply-listener.js'

/** What an {@link RpcBackend} works with. */
export interface RpcParts {
  readonly codec: ResultCodec
  readonly clock: Clock
  /** A connected broker of the application's own. */
  readonly openBroker: (signal?: AbortSignal) => Promise<Broker>
  /** Whether results survive a restart of the broker. */
  readonly persistent: boolean
}

/**
 * Results as messages to whoever called the task; nobody else can read them.
 *
 * A process that calls tasks has one reply queue, and keeps what came through it. A result whose caller is gone is dropped.
 *
 * @source Celery 5.7, `celery/backends/rpc.py`.
 */
export class RpcBackend implements ResultBackend {
  readonly name = 'rpc'
  readonly shared = false
  readonly #parts: RpcParts
  readonly #mailbox: Mailbox
  readonly #address = randomUUID()
  #broker: Promise<Broker> | undefined
  #listener: ReplyListener | undefined
  #listening: Promise<void> | undefined

  constructor(parts: RpcParts) {
    this.#parts = parts
    this.#mailbox = new Mailbox(parts.clock)
  }

  async connect(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    await this.#open()
  }

  async replyTo(): Promise<string> {
    this.#listening ??= this.#listen()
    const listening = this.#listening
    try {
      await listening
    } catch (error) {
      if (this.#listening === listening) this.#listening = undefined
      throw asBackendError(error)
    }
    return this.#address
  }

  async store(records: readonly TaskRecord[], { ttlMs }: KeepOptions): Promise<void> {
    const batch: Outgoing[] = []
    for (const record of records) {
      const { replyTo } = record
      if (replyTo === undefined || replyTo === '') continue
      if (replyTo === this.#address) this.#mailbox.put(this.#reread(record), ttlMs)
      else batch.push(this.#toMessage(record, replyTo))
    }
    if (batch.length > 0) await this.#send(batch)
  }

  load(taskIds: readonly string[]): Promise<ReadonlyMap<string, TaskRecord>> {
    return Promise.resolve(this.#mailbox.find(taskIds))
  }

  forget(taskIds: readonly string[]): Promise<void> {
    this.#mailbox.forget(taskIds)
    return Promise.resolve()
  }

  watch(taskIds: readonly string[], changed: () => void): Promise<RecordWatch> {
    return Promise.resolve(this.#mailbox.watch(taskIds, changed))
  }

  async close(): Promise<void> {
    // Somebody may just have begun to listen.
    await this.#listening?.catch(() => undefined)
    await this.#listener?.close()
    const broker = await this.#broker?.catch(() => undefined)
    this.#broker = undefined
    await broker?.close()
  }

  async #listen(): Promise<void> {
    const listener = new ReplyListener({
      address: this.#address,
      openBroker: this.#parts.openBroker,
      clock: this.#parts.clock,
      heard: (body) => this.#mailbox.put(readDocument(body, this.#parts.codec), KEPT_MS),
    })
    await listener.start()
    this.#listener = listener
  }

  async #send(batch: readonly Outgoing[]): Promise<void> {
    const broker = await this.#open()
    try {
      await broker.publish(batch)
    } catch (error) {
      if (error instanceof PublishError && !error.retryable) return this.#refused(batch, error)
      await this.#leave(broker)
      throw asBackendError(error)
    }
  }

  /** A caller who is gone needs no answer; one who waits for a result that cannot be sent gets another. */
  async #refused(batch: readonly Outgoing[], error: PublishError): Promise<void> {
    if (batch.length > 1) {
      for (const index of error.indexes) await this.#send(batch.slice(index, index + 1))
    } else if (!(error.cause instanceof QueueNotFoundError)) {
      throw asBackendError(error)
    }
  }

  /** Concurrent callers share one attempt; a failed one is not kept. */
  async #open(): Promise<Broker> {
    this.#broker ??= this.#parts.openBroker()
    const opening = this.#broker
    try {
      return await opening
    } catch (error) {
      if (this.#broker === opening) this.#broker = undefined
      throw asBackendError(error)
    }
  }

  /** Of several servers another one may answer the next time. */
  async #leave(broker: Broker): Promise<void> {
    if ((await this.#broker?.catch(() => undefined)) !== broker) return
    this.#broker = undefined
    await broker.close().catch(() => undefined)
  }

  /** As another process would read it. */
  #reread(record: TaskRecord): TaskRecord {
    const { codec } = this.#parts
    return readDocument(toBytes(writeDocument(record, codec)), codec)
  }

  #toMessage(record: TaskRecord, replyTo: string): Outgoing {
    const { codec, persistent } = this.#parts
    return {
      route: { exchange: '', routingKey: replyTo },
      message: {
        body: toBytes(writeDocument(record, codec)),
        contentType: codec.contentType,
        contentEncoding: codec.contentEncoding,
        headers: {},
        properties: { correlationId: record.taskId, persistent },
      },
    }
  }
}

/** How long a result is kept that nobody asks for. */
const KEPT_MS = 86_400_000

function toBytes(document: string | Uint8Array): Uint8Array {
  return typeof document === 'string' ? Buffer.from(document, 'utf8') : document
}

function asBackendError(error: unknown): BackendError {
  if (error instanceof BackendError) return error
  const message = error instanceof Error ? error.message : String(error)
  const isPassing = error instanceof LovageError && error.retryable
  return isPassing
    ? new BackendConnectionError(message, { cause: error })
    : new BackendError(message, { cause: error })
}

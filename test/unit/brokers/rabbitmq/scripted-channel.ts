import { EventEmitter } from 'node:events'
import type { ConsumeMessage } from 'amqplib'
import type { ConsumerChannel } from '../../../../brokers/rabbitmq/queue-consumers.js'

/** The properties of a message that has none. */
export const NO_PROPERTIES = {
  contentType: undefined,
  contentEncoding: undefined,
  deliveryMode: undefined,
  priority: undefined,
  correlationId: undefined,
  replyTo: undefined,
  expiration: undefined,
  messageId: undefined,
  timestamp: undefined,
  type: undefined,
  userId: undefined,
  appId: undefined,
  clusterId: undefined,
}

/** A channel of amqplib whose server is the test: it sees each call, answers it, and pushes messages. */
export class ScriptedChannel extends EventEmitter implements ConsumerChannel {
  /** What was called, in order: `prefetch 2`, `consume jobs`, `cancel jobs#1`, `ack 3`, `ack up to 3`, `close`. */
  readonly calls: string[] = []
  /** What the server does before it answers a call; it answers at once unless a test says otherwise. */
  answers: (call: string) => Promise<void> | void = () => undefined
  readonly #consumers = new Map<string, (message: ConsumeMessage | null) => void>()
  #deliveryTag = 0
  #isClosed = false

  async prefetch(count: number): Promise<Record<string, never>> {
    await this.#call(`prefetch ${String(count)}`)
    return {}
  }

  async consume(
    queue: string,
    onMessage: (message: ConsumeMessage | null) => void,
  ): Promise<{ consumerTag: string }> {
    const consumerTag = `${queue}#${String(this.#consumers.size + 1)}`
    this.#consumers.set(consumerTag, onMessage)
    await this.#call(`consume ${queue}`)
    return { consumerTag }
  }

  async cancel(consumerTag: string): Promise<{ consumerTag: string }> {
    await this.#call(`cancel ${consumerTag}`)
    return { consumerTag }
  }

  ack({ fields }: ConsumeMessage, isUpTo?: boolean): void {
    if (this.#isClosed) throw new Error('Channel closed')
    this.calls.push(`ack ${isUpTo === true ? 'up to ' : ''}${String(fields.deliveryTag)}`)
  }

  async close(): Promise<void> {
    await this.#call('close')
    this.#isClosed = true
    this.emit('close')
  }

  /** The server pushes a message to the consumer that was opened last. */
  push(text: string, { id, redelivered = false }: { id?: string; redelivered?: boolean } = {}): void {
    const [consumerTag = '', onMessage] = [...this.#consumers].at(-1) ?? []
    const routingKey = consumerTag.slice(0, consumerTag.indexOf('#'))
    this.#deliveryTag += 1
    onMessage?.({
      content: Buffer.from(text),
      fields: { deliveryTag: this.#deliveryTag, redelivered, exchange: '', routingKey, consumerTag },
      properties: { ...NO_PROPERTIES, headers: {}, correlationId: id },
    })
  }

  /** The queue was deleted: the server ends its consumers. */
  deleteQueue(): void {
    for (const onMessage of this.#consumers.values()) onMessage(null)
  }

  /** The server closes the channel. */
  fail(message: string): void {
    this.#isClosed = true
    this.emit('error', new Error(message))
    this.emit('close')
  }

  async #call(call: string): Promise<void> {
    this.#assertOpen()
    this.calls.push(call)
    await this.answers(call)
    this.#assertOpen()
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new Error('Channel closed')
  }
}

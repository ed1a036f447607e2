import { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { connect, credentials } from 'amqplib'
import type { Channel, ChannelModel, ConfirmChannel } from 'amqplib'
import { BrokerConnectionError } from '../../src/errors/errors.js'
import { withDeadline } from '../../src/util/deadline.js'
import { toError } from '../../src/util/to-error.js'
import { toFailure } from './failure.js'
import { HeartbeatMonitor } from './heartbeat-monitor.js'
import type { RabbitSettings } from './settings.js'
import { readEveryMessage } from './workaround/unreadable-frames.js'

const CLOSE_MS = 2_000
/** How long a closed socket may take to send what it still holds. */
const LINGER_MS = 500

/**
 * One AMQP connection, from its opening to its end.
 *
 * States: open → (blocked ⇄ open) → lost, or closed by its owner. It is lost when the socket ends, the server closes it,
 * heartbeats stay away, or nothing answers any more; what was under way then is rejected, and nobody opens it again: its
 * owner opens another.
 */
export class RabbitConnection {
  readonly label: string
  readonly #model: ChannelModel
  readonly #heartbeat: HeartbeatMonitor
  readonly #ended: Promise<void>
  #pulseChannel: Channel | undefined
  #failure: BrokerConnectionError | undefined
  #isClosed = false
  #blockedBy: string | undefined
  #unblocked: (() => void)[] = []
  /** Told when the server stops taking messages. */
  onBlocked: () => void = () => undefined

  private constructor(model: ChannelModel, label: string) {
    this.label = label
    this.#model = model
    const socket = socketOf(model)
    this.#heartbeat = new HeartbeatMonitor({
      received: () => (socket instanceof Socket ? socket.bytesRead : 0),
      ask: () => this.#ask(),
      silent: () => this.fail(new BrokerConnectionError(`${label}: the server does not answer`)),
    })
    model.on('error', (error: unknown) => this.#note(error))
    model.on('blocked', (reason: unknown) => this.#block(String(reason)))
    model.on('unblocked', () => this.#unblock())
    this.#ended = new Promise((resolve) => {
      model.on('close', (error: unknown) => {
        this.#end(error)
        resolve()
      })
    })
  }

  /** Connect. Rejects with a `BrokerConnectionError`, or a `BrokerError` when the server refuses. */
  static async open(settings: RabbitSettings, signal: AbortSignal): Promise<RabbitConnection> {
    signal.throwIfAborted()
    const { server, tls, label, connectTimeoutMs } = settings
    try {
      const opening = connect(server, {
        noDelay: true,
        keepAlive: true,
        keepAliveDelay: 30_000,
        timeout: connectTimeoutMs,
        clientProperties: { connection_name: 'lovage' },
        ...loginOf(settings),
        ...tls,
      })
      const model = await withDeadline(opening, {
        ms: connectTimeoutMs + 1_000,
        late: () => {
          opening.then(closeQuietly, () => undefined)
          return new BrokerConnectionError(`${label}: no connection within ${String(connectTimeoutMs)} ms`)
        },
      })
      readEveryMessage(model)
      const connection = new RabbitConnection(model, label)
      await connection.#begin(signal)
      return connection
    } catch (error) {
      throw toFailure(error, label)
    }
  }

  /** Longest frame in bytes that the server takes; it closes the connection on a longer one. */
  get frameMax(): number {
    const agreed: unknown = Reflect.get(this.#model.connection, 'frameMax')
    return typeof agreed === 'number' ? agreed : Number.POSITIVE_INFINITY
  }

  /** Whether it can be used. */
  get isOpen(): boolean {
    return this.#failure === undefined && !this.#isClosed
  }

  /** Why it is not open. */
  get failure(): BrokerConnectionError {
    return this.#failure ?? new BrokerConnectionError(`${this.label}: the connection is closed`)
  }

  /** A channel whose errors nobody has to listen to. */
  async channel(): Promise<Channel> {
    return this.#open((model) => model.createChannel())
  }

  /** A channel on which the server confirms what it has. */
  async confirmChannel(): Promise<ConfirmChannel> {
    return this.#open((model) => model.createConfirmChannel())
  }

  /**
   * Wait until the server takes messages again or the connection ends, at the latest for `ms`.
   *
   * @returns why it still takes none; `undefined` when it does.
   */
  async untilUnblocked(ms: number): Promise<string | undefined> {
    if (this.#blockedBy === undefined) return undefined
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#unblocked.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
    return this.#blockedBy
  }

  /** Give the connection up: it is no use any more. */
  fail(error: BrokerConnectionError): void {
    if (!this.isOpen) return
    this.#failure = error
    socketOf(this.#model)?.destroy(error)
  }

  /** Close it in good order, or at once when the server does not answer. Never rejects. */
  async close(): Promise<void> {
    if (!this.isOpen) return this.#ended
    this.#isClosed = true
    this.#heartbeat.stop()
    const closing = Promise.resolve(this.#model.close()).catch(() => undefined)
    const late = (): Error => new BrokerConnectionError(`${this.label}: closing took too long`)
    await withDeadline(closing, { ms: CLOSE_MS, late }).catch((error: unknown) => {
      socketOf(this.#model)?.destroy(toError(error))
    })
  }

  async #begin(signal: AbortSignal): Promise<void> {
    const stop = (): void => this.fail(new BrokerConnectionError(`${this.label}: connecting was given up`))
    signal.addEventListener('abort', stop, { once: true })
    try {
      this.#pulseChannel = await this.channel()
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  async #open<Opened extends Channel>(make: (model: ChannelModel) => Promise<Opened>): Promise<Opened> {
    if (!this.isOpen) throw this.failure
    try {
      const channel = await make(this.#model)
      // Without a listener an error ends the process; the owner hears of it by the end of the channel.
      channel.on('error', () => undefined)
      return channel
    } catch (error) {
      throw this.#failure ?? toFailure(error, this.label)
    }
  }

  #ask(): void {
    this.#pulseChannel?.prefetch(0).catch(() => undefined)
  }

  #note(error: unknown): void {
    this.#failure ??= asConnectionError(error, this.label)
  }

  #block(reason: string): void {
    this.#blockedBy = reason === '' ? 'low on resources' : reason
    this.#heartbeat.pause()
    this.onBlocked()
  }

  #unblock(): void {
    this.#blockedBy = undefined
    this.#heartbeat.resume()
    this.#wakeBlocked()
  }

  #end(error: unknown): void {
    if (!this.#isClosed)
      this.#note(error ?? new BrokerConnectionError(`${this.label}: the server closed the connection`))
    this.#heartbeat.stop()
    this.#wakeBlocked()
    const socket = socketOf(this.#model)
    // Its peer may be gone without a word; what it still holds must not keep the process.
    setTimeout(() => socket?.destroy(), LINGER_MS).unref()
  }

  #wakeBlocked(): void {
    const waiting = this.#unblocked
    this.#unblocked = []
    for (const wake of waiting) wake()
  }
}

/** The socket below, which the library does not show. */
function socketOf(model: ChannelModel): Duplex | undefined {
  const stream: unknown = Reflect.get(model.connection, 'stream')
  return stream instanceof Duplex ? stream : undefined
}

function loginOf({ loginMethod, server }: RabbitSettings): {
  credentials?: ReturnType<typeof credentials.plain>
} {
  const { username = 'guest', password = 'guest' } = server
  switch (loginMethod) {
    case 'AMQPLAIN':
      return { credentials: credentials.amqplain(username, password) }
    case 'EXTERNAL':
      return { credentials: { username, password, ...credentials.external() } }
    default:
      return {}
  }
}

function closeQuietly(model: ChannelModel): void {
  model.on('error', () => undefined)
  model.close().catch(() => undefined)
}

function asConnectionError(error: unknown, label: string): BrokerConnectionError {
  if (error instanceof BrokerConnectionError) return error
  const cause = toError(error)
  return new BrokerConnectionError(`${label}: ${cause.message}`, { cause })
}

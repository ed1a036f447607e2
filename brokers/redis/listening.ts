import type { Redis } from 'ioredis'
import { BrokerConnectionError } from '../../src/errors/errors.js'
import { withDeadline } from '../../src/util/deadline.js'
import { inPieces } from '../../src/util/long-list.js'
import { gatherWrites } from './gather-writes.js'
import { numberOf } from './reply.js'

/** What {@link Listening} is made from. */
export interface ListeningParts {
  /** Opens the connection that hears, not connected yet. */
  readonly open: () => Redis
  /** The connection that sends commands; what its scripts read is tracked. */
  readonly commands: Redis
}

/** Takes a message from a channel. */
export type ChannelListener = (channel: string, payload: Buffer) => void

const PROBE_MS = 5_000
const CHANGES = '__redis__:invalidate'
/** Channels that one command subscribes to: a call takes so many arguments and not any number. */
const MOST_CHANNELS = 1_000

interface Channels {
  readonly listeners: Map<string, Set<ChannelListener>>
  readonly join: 'subscribe' | 'psubscribe'
  readonly leave: 'unsubscribe' | 'punsubscribe'
}

/**
 * The connection that hears: channels, patterns, and changes of keys that a tracked script has read.
 *
 * It is opened by the first who listens, and takes everything up again after a reconnect. Listeners of changes are also
 * called when the connection comes or goes, since something may have been missed.
 */
export class Listening {
  readonly #parts: ListeningParts
  readonly #changes = new Set<() => void>()
  readonly #channels: Channels = { listeners: new Map(), join: 'subscribe', leave: 'unsubscribe' }
  readonly #patterns: Channels = { listeners: new Map(), join: 'psubscribe', leave: 'punsubscribe' }
  readonly #lost = new Set<() => void>()
  readonly #back = new Set<() => void>()
  #redis: Redis | undefined
  #opening: Promise<Redis> | undefined
  #id = 0
  #isTracking = false
  #count = 0

  constructor(parts: ListeningParts) {
    this.#parts = parts
    parts.commands.on('close', () => {
      this.#isTracking = false
      this.#changed()
    })
    parts.commands.on('ready', () => {
      if (this.#id > 0) void this.#track()
    })
  }

  /** How many changes were heard of; two equal numbers mean that nothing was missed in between. */
  get count(): number {
    return this.#count
  }

  /** Whether changes are heard of at the moment. */
  get isTracking(): boolean {
    return this.#isTracking
  }

  /** Hear of changes. Resolves when it is ready for it, or known not to be. */
  async openChanges(): Promise<void> {
    await this.#open()
  }

  /** Call `listener` after each change of a tracked key; the result ends that. */
  changes(listener: () => void): () => void {
    this.#changes.add(listener)
    return () => {
      this.#changes.delete(listener)
    }
  }

  /** Something was changed over this connection, of which the server does not tell. */
  changedHere(): void {
    this.#changed()
  }

  /** The server did not track: changes are not heard of any more. */
  stopTracking(): void {
    this.#isTracking = false
  }

  /** Tell whether the connection that hears still lives; ends it when there is no answer. */
  probe(): void {
    const redis = this.#redis
    if (redis?.status !== 'ready') return
    const late = (): Error => {
      redis.disconnect(true)
      return new BrokerConnectionError('no answer')
    }
    withDeadline(redis.ping(), { ms: PROBE_MS, late }).catch(() => undefined)
  }

  /** Hear a channel. */
  subscribe(channel: string, listener: ChannelListener): Promise<() => Promise<void>> {
    return this.#join(this.#channels, channel, listener)
  }

  /** Hear the channels that a glob pattern names. */
  psubscribe(pattern: string, listener: ChannelListener): Promise<() => Promise<void>> {
    return this.#join(this.#patterns, pattern, listener)
  }

  /** Call `listener` each time the connection is lost; the result ends that. */
  onLost(listener: () => void): () => void {
    this.#lost.add(listener)
    return () => {
      this.#lost.delete(listener)
    }
  }

  /** Call `listener` each time everything is heard again after a loss; the result ends that. */
  onBack(listener: () => void): () => void {
    this.#back.add(listener)
    return () => {
      this.#back.delete(listener)
    }
  }

  /** End the connection. */
  close(): void {
    this.#redis?.disconnect()
    this.#changed()
  }

  async #join(channels: Channels, name: string, listener: ChannelListener): Promise<() => Promise<void>> {
    const { listeners, join, leave } = channels
    const own = listeners.get(name) ?? new Set()
    const isFirst = own.size === 0
    listeners.set(name, own.add(listener))
    const quit = async (): Promise<void> => {
      if (!own.delete(listener) || own.size > 0 || listeners.get(name) !== own) return
      listeners.delete(name)
      if (this.#redis?.status !== 'ready') return
      // Whoever heard something goes on first.
      gatherWrites(this.#redis)
      await this.#redis[leave](name).catch(() => undefined)
    }
    try {
      const redis = await this.#open()
      // Even when another has asked already: the answer says that it is heard from now on.
      if (isFirst || own.size > 1) await redis[join](name)
    } catch (error) {
      await quit()
      throw error
    }
    return quit
  }

  async #open(): Promise<Redis> {
    if (this.#redis?.status === 'ready' && this.#opening === undefined) return this.#redis
    this.#opening ??= this.#connect()
    try {
      return await this.#opening
    } finally {
      this.#opening = undefined
    }
  }

  async #connect(): Promise<Redis> {
    const redis = this.#redis ?? this.#create()
    if (redis.status === 'wait' || redis.status === 'end') await redis.connect()
    else if (redis.status !== 'ready') await settled(redis)
    await this.#take(redis)
    return redis
  }

  #create(): Redis {
    const redis = this.#parts.open()
    this.#redis = redis
    redis.on('error', () => undefined)
    redis.on('messageBuffer', (channel: Buffer, payload: unknown) => {
      const name = channel.toString()
      if (name === CHANGES) this.#changed()
      else this.#tell(this.#channels.listeners.get(name), name, payload)
    })
    redis.on('pmessageBuffer', (pattern: unknown, channel: Buffer, payload: unknown) => {
      this.#tell(this.#patterns.listeners.get(String(pattern)), channel.toString(), payload)
    })
    redis.on('close', () => {
      this.#isTracking = false
      this.#id = 0
      this.#changed()
      for (const listener of [...this.#lost]) listener()
    })
    redis.on('ready', () => {
      // The first time, whoever opened it waits for this.
      if (this.#opening === undefined) void this.#take(redis).catch(() => undefined)
    })
    return redis
  }

  /** Everything that the server forgets with a connection. */
  async #take(redis: Redis): Promise<void> {
    if (this.#id > 0) return
    this.#id = numberOf(await redis.client('ID'))
    const channels = [CHANGES, ...this.#channels.listeners.keys()]
    const patterns = [...this.#patterns.listeners.keys()]
    await Promise.all([
      ...inPieces(channels, MOST_CHANNELS).map((names) => redis.subscribe(...names)),
      ...inPieces(patterns, MOST_CHANNELS).map((names) => redis.psubscribe(...names)),
    ])
    for (const listener of [...this.#back]) listener()
    await this.#track()
  }

  /** Servers and proxies that cannot are polled. */
  async #track(): Promise<void> {
    try {
      const { commands } = this.#parts
      await commands.call('CLIENT', 'TRACKING', 'OFF')
      await commands.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', String(this.#id), 'OPTIN', 'NOLOOP')
      this.#isTracking = true
    } catch {
      this.#isTracking = false
    }
    this.#changed()
  }

  #changed(): void {
    this.#count += 1
    for (const listener of [...this.#changes]) listener()
  }

  #tell(listeners: ReadonlySet<ChannelListener> | undefined, channel: string, payload: unknown): void {
    if (listeners === undefined || !Buffer.isBuffer(payload)) return
    for (const listener of [...listeners]) listener(channel, payload)
  }
}

function settled(redis: Redis): Promise<void> {
  return new Promise((resolve, reject) => {
    const onReady = (): void => {
      redis.off('close', onClose)
      resolve()
    }
    const onClose = (): void => {
      redis.off('ready', onReady)
      reject(new BrokerConnectionError('the connection was closed'))
    }
    redis.once('ready', onReady).once('close', onClose)
  })
}

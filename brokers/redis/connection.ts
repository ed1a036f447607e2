import type { Redis } from 'ioredis'
import { BrokerConnectionError } from '../../src/errors/errors.js'
import { backoffMs } from '../../src/util/backoff.js'
import { withDeadline } from '../../src/util/deadline.js'
import { toError } from '../../src/util/to-error.js'
import { CheckedRedis } from './checked-redis.js'
import { RedisFailure, toFailure } from './failure.js'
import { gatherWrites, writeGathered } from './gather-writes.js'
import type { Script } from './script.js'
import { Listening } from './listening.js'
import type { ServerTarget } from './target.js'
import { checkServer, longestArgument } from './server-check.js'

/** An argument of a command. */
export type Argument = string | number | Buffer

const ELSEWHERE = /^(MOVED|READONLY)\b/
const RECONNECT = { firstMs: 50, maxMs: 2_000, jitter: 1 }

/**
 * The connections of one process, or thread, to one database: one for commands and, once somebody listens, one that
 * hears. Brokers and backends with the same target share it.
 *
 * It reconnects by itself. What was under way when the connection was lost is rejected, and nothing is kept to be sent
 * later. An answer that does not come in time ends the connection.
 */
export class RedisConnection {
  readonly target: ServerTarget
  readonly listening: Listening
  readonly #redis: CheckedRedis
  #lastError: Error | undefined
  #checked: Promise<void> | undefined
  #isClosed = false
  #connects = 0
  #longestArgument: number | undefined

  constructor(target: ServerTarget) {
    this.target = target
    this.#redis = openRedis(target, () => this.#isClosed)
    this.#redis.on('error', (error: unknown) => {
      this.#lastError = this.#redis.refusal ?? toError(error)
    })
    this.#redis.on('ready', () => {
      this.#connects += 1
    })
    this.listening = new Listening({
      open: () => this.openAnother(),
      commands: this.#redis,
    })
  }

  /** How often it has connected: ids of clients hold as long as this stays. */
  get connects(): number {
    return this.#connects
  }

  /** Wait until commands can be sent. Rejects with a {@link RedisFailure} when the first try fails. */
  async ready(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#redis.status !== 'ready') await this.#becomeReady(signal)
    this.#checked ??= this.#check()
    try {
      await this.#checked
    } catch (error) {
      this.#checked = undefined
      throw error
    }
  }

  /** Why the server would close the connection on one of these arguments instead of taking it, if it would. */
  tooLong(args: readonly Argument[]): string | undefined {
    const most = this.#longestArgument
    if (most === undefined) return undefined
    for (const arg of args) {
      const bytes = typeof arg === 'number' ? 0 : Buffer.byteLength(arg)
      if (bytes > most)
        return `${String(bytes)} bytes are more than the server’s proto-max-bulk-len, ${String(most)}`
    }
    return undefined
  }

  /** Send a command. Rejects with a {@link RedisFailure}. */
  async call(command: string, ...args: readonly Argument[]): Promise<unknown> {
    try {
      return await this.#inTime(this.#gathered().call(command, [...args]))
    } catch (error) {
      throw this.#failure(error)
    }
  }

  /** Send a command whose answer is bytes. */
  async callBytes(command: string, ...args: readonly Argument[]): Promise<unknown> {
    try {
      return await this.#inTime(this.#gathered().callBuffer(command, [...args]))
    } catch (error) {
      throw this.#failure(error)
    }
  }

  /** Run a script. Rejects with a {@link RedisFailure}. */
  run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    return this.#run(this.#gathered(), script, [keys.length, ...keys, ...args])
  }

  /** The same, written at once with all that was held back: for what the server can do while this turn goes on. */
  runAtOnce(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    const answer = this.#run(this.#redis, script, [keys.length, ...keys, ...args])
    writeGathered(this.#redis)
    return answer
  }

  /**
   * Run a script, and from then on tell the listeners of {@link Listening.changes} when one of the `tracked` keys changes.
   *
   * They are read by a command of its own: Redis 7.0 does not track what a script reads, but the keys that it is called
   * with. All of it is one packet.
   */
  async runTracked(
    script: Script,
    keys: readonly string[],
    args: readonly Argument[],
    tracked: readonly string[],
  ): Promise<unknown> {
    if (!this.listening.isTracking) return this.run(script, keys, args)
    const pipeline = this.#gathered().pipeline([
      ['client', 'CACHING', 'YES'],
      ['exists', ...tracked],
      ['evalsha', script.sha, keys.length, ...keys, ...args],
    ])
    const replies = await this.#inTime(pipeline.exec()).catch((error: unknown) => {
      throw this.#failure(error)
    })
    const [caching, exists, run] = replies ?? []
    if (caching?.[0] instanceof Error || exists?.[0] instanceof Error) this.listening.stopTracking()
    const error = run?.[0]
    if (!(error instanceof Error)) return run?.[1]
    if (error.message.startsWith('NOSCRIPT')) return this.run(script, keys, args)
    throw this.#failure(error)
  }

  /** Another connection to the same place, for what blocks; the caller ends it. */
  openAnother(): Redis {
    return openRedis(this.target, () => this.#isClosed)
  }

  /** End the connections. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.listening.close()
    this.#redis.disconnect()
  }

  async #check(): Promise<void> {
    await checkServer(this)
    this.#longestArgument = await longestArgument(this)
  }

  async #becomeReady(signal: AbortSignal): Promise<void> {
    const redis = this.#redis
    await new Promise<void>((resolve, reject) => {
      const done = (act: () => void): void => {
        redis.off('ready', onReady).off('close', onClose).off('error', onError)
        signal.removeEventListener('abort', onAbort)
        act()
      }
      const onReady = (): void => done(resolve)
      const onClose = (): void => done(() => reject(this.#unreachable()))
      // Sentinels are asked again and again, and no connection is closed for it.
      const onError = ({ message }: Error): void => {
        if (message.startsWith('All sentinels are unreachable')) onClose()
      }
      const onAbort = (): void => done(() => reject(toError(signal.reason)))
      redis.on('ready', onReady).on('close', onClose).on('error', onError)
      signal.addEventListener('abort', onAbort, { once: true })
      // Its outcome is that of the events.
      if (redis.status === 'wait') redis.connect().catch(() => undefined)
    })
  }

  async #run(redis: Redis, script: Script, rest: readonly Argument[]): Promise<unknown> {
    const refusal = this.tooLong(rest)
    if (refusal !== undefined) throw new RedisFailure('refused', refusal)
    try {
      return await this.#inTime(redis.call('EVALSHA', [script.sha, ...rest]))
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw this.#failure(error)
      return this.call('EVAL', script.source, ...rest)
    }
  }

  #gathered(): Redis {
    gatherWrites(this.#redis)
    return this.#redis
  }

  /** A server that does not answer, on a connection that looks alive, is left for a new connection. */
  #inTime<Reply>(answer: Promise<Reply>): Promise<Reply> {
    const ms = this.target.answerMs
    return withDeadline(answer, {
      ms,
      late: () => {
        this.#lastError = new BrokerConnectionError(`no answer within ${String(ms)} ms`)
        this.#redis.disconnect(true)
        return this.#lastError
      },
    })
  }

  #unreachable(): RedisFailure {
    const cause = this.#lastError
    const said = cause === undefined || cause.message === '' ? codeOf(cause) : cause.message
    const message = said.replace(/^Ready check failed: /, '')
    const isRefused = /^ERR\b|\b(NOAUTH|WRONGPASS|NOPERM)\b/.test(message)
    return new RedisFailure(isRefused ? 'refused' : 'unavailable', `${this.target.label}: ${message}`, cause)
  }

  #failure(error: unknown): RedisFailure {
    const failure = toFailure(error, this.target.label)
    const isOurs = error instanceof Error && error.name === 'ReplyError'
    // Another server has the keys, or may write to them, since a failover: the next connect finds it.
    if (isOurs && ELSEWHERE.test(error.message)) this.#redis.disconnect(true)
    return isOurs || this.#lastError === undefined ? failure : this.#unreachable()
  }
}

function openRedis(target: ServerTarget, isClosed: () => boolean): CheckedRedis {
  const redis = new CheckedRedis({
    ...target.connection,
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    keepAlive: 30_000,
    noDelay: true,
    // A connection that is given up because it is silent does not answer its end either.
    disconnectTimeout: 200,
    retryStrategy: (times: number) => (isClosed() ? null : backoffMs(times - 1, RECONNECT) + 10),
    sentinelRetryStrategy: (times: number) => (isClosed() ? null : backoffMs(times - 1, RECONNECT) + 10),
  })
  leaveIfSilent(redis, target.answerMs)
  // The client switches it on for every connection.
  if (!target.isKeptAlive) redis.on('connect', () => redis.stream.setKeepAlive(false))
  return redis
}

/** A server that accepts and then says nothing would be waited for without end. */
function leaveIfSilent(redis: Redis, answerMs: number): void {
  let timer: NodeJS.Timeout | undefined
  redis.on('connect', () => {
    clearTimeout(timer)
    timer = setTimeout(() => redis.disconnect(true), answerMs)
  })
  for (const event of ['ready', 'close']) redis.on(event, () => clearTimeout(timer))
}

function codeOf(error: Error | undefined): string {
  return error !== undefined && 'code' in error ? String(error.code) : 'the connection was closed'
}

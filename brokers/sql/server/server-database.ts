import { setTimeout as sleep } from 'node:timers/promises'
import type { Knex } from 'knex'
import { LovageError } from '../../../src/errors/errors.js'
import { withDeadline } from '../../../src/util/deadline.js'
import { NotBegun, SqlFailure } from '../failure.js'
import type { SqlSession, SqlDatabase, TransactionOptions } from '../sql-session.js'
import type { TableNames } from '../table-names.js'
import { orAborted } from '../mutex.js'
import { KnexPool } from './knex-pool.js'
import type { SqlConnection, ServerAdapter } from './sql-connection.js'
import { ServerSession } from './server-session.js'
import type { PreparedStatementCache } from './server-session.js'

/** What a {@link ServerDatabase} is made from. */
export interface ServerDatabaseParts {
  readonly driver: ServerAdapter
  readonly pool: KnexPool
  readonly statements: PreparedStatementCache
  /** What wakes others at a commit; `undefined` where nobody listens. */
  readonly channel: string | undefined
  /** Whether connections keep prepared statements. */
  readonly keepsSession: boolean
  readonly queryTimeoutMs: number
  /** Whether the connections have run {@link ServerAdapter.tuning}. */
  readonly isTuned: boolean
  /** Names the server in errors. */
  readonly label: string
}

const PATIENT_MS = 600_000
const MOST_TRIES = 6
const LONGEST_PAUSE_MS = 40

/**
 * A database on a server, on a pool of connections.
 *
 * It is never broken for good: a connection that fails is replaced by the next one. A transaction that the server undid
 * because of others, as in a deadlock, is done again.
 */
export class ServerDatabase implements SqlDatabase {
  readonly names: TableNames
  readonly broken = false
  readonly #parts: ServerDatabaseParts

  constructor(parts: ServerDatabaseParts) {
    this.#parts = parts
    this.names = parts.statements.names
  }

  // Whoever opens a server first says how many connections there are.
  agree(): boolean {
    return true
  }

  async transaction<Result>(
    work: (session: SqlSession) => Promise<Result>,
    options: TransactionOptions = {},
  ): Promise<Result> {
    const limitMs = options.patient === true ? PATIENT_MS : this.#parts.queryTimeoutMs
    return this.#again(() =>
      this.#onLink(limitMs, (link) => this.#transact(link, work, { options, limitMs }), options.signal),
    )
  }

  async read<Result>(work: (session: SqlSession) => Promise<Result>): Promise<Result> {
    return this.#read(work)
  }

  async atOnce<Result>(
    work: (session: SqlSession, channel: string | undefined) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result> {
    const { channel, isTuned } = this.#parts
    // Told to the connection by nobody, the settings hold in a transaction alone.
    if (!isTuned) return this.transaction((session) => work(session, channel), { signal })
    return this.#read((session) => work(session, channel), signal)
  }

  async within<Result>(
    transaction: Knex.Transaction,
    work: (session: SqlSession) => Promise<Result>,
  ): Promise<Result> {
    const { driver, channel, keepsSession, queryTimeoutMs } = this.#parts
    // Within a transaction knex always hands out the one connection.
    const connection = await new KnexPool(transaction, driver).acquire()
    const link = driver.connection(connection, keepsSession)
    const session = this.#session(link, queryTimeoutMs)
    try {
      const result = await work(session)
      const text = session.isAnnounced && channel !== undefined ? driver.tell(channel) : undefined
      if (text !== undefined) await this.#exec(link, text, queryTimeoutMs)
      return result
    } catch (error) {
      throw this.#translated(error)
    }
  }

  async prove(): Promise<void> {
    // A failure leads to the next server.
    for (let left = this.#parts.pool.size; ; left -= 1) {
      try {
        await this.#proveOnce()
        return
      } catch (error) {
        const isAway = error instanceof SqlFailure && error.kind === 'unavailable'
        if (!isAway || left <= 1) throw error
      }
    }
  }

  async knex(): Promise<Knex> {
    return Promise.resolve(this.#parts.statements.builder)
  }

  async close(): Promise<void> {
    await this.#parts.pool.close()
  }

  async #read<Result>(work: (session: SqlSession) => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    const limitMs = this.#parts.queryTimeoutMs
    return this.#again(() => this.#onLink(limitMs, (link) => work(this.#session(link, limitMs)), signal))
  }

  async #proveOnce(): Promise<void> {
    const { driver, label, queryTimeoutMs } = this.#parts
    const { writable } = driver
    if (writable === undefined) return
    await this.#again(() =>
      this.#onLink(queryTimeoutMs, async (link) => {
        const [row] = await this.#session(link, queryTimeoutMs).all(writable)
        if (row?.[0] === 1) return
        link.destroy()
        throw new SqlFailure('unavailable', `${label} only reads at present`)
      }),
    )
  }

  /** Do `work` until it is not the server's wish that it is done again. */
  async #again<Result>(work: () => Promise<Result>): Promise<Result> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await work()
      } catch (error) {
        const isWished = this.#parts.driver.faultOf(error)?.again === true
        if (!isWished || tries >= MOST_TRIES) throw this.#translated(error)
      }
      // Two that met do not meet again.
      await sleep(Math.random() * Math.min(LONGEST_PAUSE_MS, 2 ** tries))
    }
  }

  async #onLink<Result>(
    limitMs: number,
    work: (link: SqlConnection) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result> {
    const { pool, driver, keepsSession } = this.#parts
    const connection = await this.#acquire(limitMs, signal)
    const link = driver.connection(connection, keepsSession)
    try {
      return await work(link)
    } catch (error) {
      const fault = driver.faultOf(error)
      // One that did not answer has been cut already.
      if (fault?.isElsewhere === true || link.isDestroyed) pool.forsake(connection)
      if (fault?.kind === 'unavailable' && !fault.again) link.destroy()
      throw error
    } finally {
      await pool.release(connection, !link.isDestroyed)
    }
  }

  async #acquire(limitMs: number, signal: AbortSignal | undefined): Promise<object> {
    if (signal?.aborted === true) throw new NotBegun()
    const { pool } = this.#parts
    const acquiring = pool.acquire()
    const limited = withDeadline(acquiring, { ms: limitMs, late: () => this.#late(limitMs) })
    try {
      return await (signal === undefined ? limited : orAborted(limited, signal, () => true))
    } catch (error) {
      // If it comes after all, no one waits for it.
      void acquiring.then((unwanted) => pool.release(unwanted, true)).catch(() => undefined)
      throw error
    }
  }

  async #transact<Result>(
    link: SqlConnection,
    work: (session: SqlSession) => Promise<Result>,
    { options, limitMs }: { readonly options: TransactionOptions; readonly limitMs: number },
  ): Promise<Result> {
    const { driver, channel, isTuned } = this.#parts
    try {
      for (const text of driver.begin(options, isTuned)) await this.#exec(link, text, limitMs)
      const session = this.#session(link, limitMs)
      const result = await work(session)
      if (options.signal?.aborted === true) throw new NotBegun()
      await this.#exec(link, driver.commit(session.isAnnounced ? channel : undefined), limitMs)
      return result
    } catch (error) {
      await this.#rollBack(link, error)
      throw error
    }
  }

  async #rollBack(link: SqlConnection, error: unknown): Promise<void> {
    const { driver, queryTimeoutMs } = this.#parts
    const fault = driver.faultOf(error)
    // A connection that is cut is rolled back by the server.
    if (link.isDestroyed || (fault?.kind === 'unavailable' && !fault.again)) return
    await this.#exec(link, 'ROLLBACK', queryTimeoutMs).catch(() => {
      link.destroy()
    })
  }

  #session(link: SqlConnection, limitMs: number): ServerSession {
    const { statements } = this.#parts
    return new ServerSession({
      link,
      statements,
      limited: (waiting, work) => this.#limited(waiting, work, limitMs),
    })
  }

  async #exec(link: SqlConnection, text: string, limitMs: number): Promise<void> {
    await this.#limited(link, link.exec(text), limitMs)
  }

  /**
   * A connection that does not answer is cut. A transaction that is open then is undone by the server; what commits by
   * itself may still be done, as a COMMIT or one statement of {@link atOnce}.
   */
  #limited<Result>(link: SqlConnection, work: Promise<Result>, limitMs: number): Promise<Result> {
    const late = (): Error => {
      link.destroy()
      return this.#late(limitMs)
    }
    return withDeadline(work, { ms: limitMs, late })
  }

  #late(limitMs: number): SqlFailure {
    return new SqlFailure('unavailable', `${this.#parts.label} did not answer within ${limitMs} ms`)
  }

  #translated(error: unknown): unknown {
    if (error instanceof LovageError) return error
    const fault = this.#parts.driver.faultOf(error)
    if (fault === undefined) return error
    const reason = error instanceof Error && error.message !== '' ? error.message : String(error)
    return new SqlFailure(fault.kind, `${this.#parts.label}: ${reason}`, error)
  }
}

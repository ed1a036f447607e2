import type { SqlDatabase, SqlSession, SqlValue } from '../sql-session.js'
import type { TableNames } from '../table-names.js'

/** A message to insert. */
export interface NewMessage {
  readonly queue: string
  readonly priority: number
  /** Everything but the body, as JSON text. */
  readonly meta: string
  readonly body: Uint8Array
  /** When it may be claimed; at once when undefined. */
  readonly hold?: VisibilityDelay
}

/** Until when a message is hidden. */
export type VisibilityDelay = { readonly delayMs: number } | { readonly atMs: number }

/** A claim as the consumer knows it: which row, and which claim of this holder. */
export interface ClaimKey {
  readonly id: number
  readonly claim: number
}

/** One claimed row. */
export interface ClaimedRow extends ClaimKey {
  readonly priority: number
  /** Claims so far, this one included. */
  readonly handouts: number
  /** Claims that do not count. */
  readonly unspent: number
  readonly due: boolean
  /** The parsed JSON of {@link NewMessage.meta}. */
  readonly meta: unknown
  readonly body: Uint8Array
}

/** A place in the order in which rows are claimed. */
export interface QueuePosition {
  readonly priority: number
  readonly id: number
}

/** Which rows to claim. */
export interface ClaimRequest {
  readonly queue: string
  /** Rows up to this place may be passed over. A dialect that has no use for it leaves it out. */
  readonly after?: QueuePosition | undefined
  readonly max: number
  readonly holder: number
  readonly claim: number
}

/** A claim in one statement, which also sees to the holder. */
export interface ClaimAtOnce extends ClaimRequest {
  readonly leaseMs: number
}

/** What {@link AtOnce.claim} found. */
export interface ClaimedAtOnce {
  /** None when there are none, and when the holder is forgotten. */
  readonly rows: readonly ClaimedRow[]
  /** The lease has to be renewed. */
  readonly isStale: boolean
}

/** What {@link AtOnce.insert} writes, and what it takes for granted. */
export interface InsertAtOnce {
  /** The version of the queues and bindings that the messages were routed by. */
  readonly version: number
  /** Who is to be notified. */
  readonly channel: string
  readonly messages: readonly NewMessage[]
}

/**
 * What a database does in a single statement, which is a transaction of its own: one round trip in place of four.
 *
 * The session given has no transaction.
 */
export interface AtOnce {
  /** Claim ready rows of one queue, if the holder is still known; the commit does not wait for the disk. */
  claim(session: SqlSession, request: ClaimAtOnce): Promise<ClaimedAtOnce>
  /** Insert and announce; `false` when nothing was done, because one statement does not do or the version is another. */
  insert(session: SqlSession, wish: InsertAtOnce): Promise<boolean>
  /** Delete claimed rows, store the results of those whose claim holds, and tell of them. */
  settle(session: SqlSession, wish: SettleAtOnce): Promise<SettledAtOnce>
}

/** What is settled by one statement. */
export interface SettleAtOnce {
  readonly holder: number
  readonly claims: readonly ClaimKey[]
  /** No task twice. */
  readonly results: readonly { readonly claim: ClaimKey; readonly kept: KeptRow }[]
  /** Who is notified of results. */
  readonly channel: string
}

/** What {@link AtOnce.settle} found. */
export interface SettledAtOnce {
  /** Claims that were lost; nothing was done for these. */
  readonly lost: readonly ClaimKey[]
}

/** A row of the result table, and how long to keep it, in milliseconds; 0 keeps it. */
export interface KeptRow {
  readonly row: ResultRow
  readonly ttlMs: number
}

/** How a claim is given back. */
export interface GiveBack extends ClaimKey {
  readonly hold?: VisibilityDelay
  readonly unspent: boolean
  /** Set when the row's headers change. */
  readonly meta?: string
}

/** What a look at the queues shows; nothing is locked by it. */
export interface QueueStatus {
  readonly nowMs: number
  /** A message of the queues looked at can be claimed. */
  readonly ready: boolean
  /** The next moment at which a delayed message of any queue is due. */
  readonly nextDueMs: number | undefined
  /** The next moment at which a lease of another holder runs out. */
  readonly nextLeaseEndMs: number | undefined
  /** The holder that looks is known. */
  readonly held: boolean
}

/** A row of the result table; columns as Celery names them, and two of our own. */
export interface ResultRow {
  readonly taskId: string
  readonly status: string
  readonly result: SqlValue
  /** Celery's text form of a UTC time without zone, or null. */
  readonly dateDone: string | null
  readonly traceback: string | null
  readonly children: SqlValue
  readonly name: string | null
  readonly args: SqlValue
  readonly kwargs: SqlValue
  readonly worker: string | null
  readonly retries: number | null
  readonly queue: string | null
  readonly stamps: SqlValue
  readonly groupId: string | null
  readonly parentId: string | null
}

/** One broadcast. */
export interface BroadcastRow {
  readonly id: number
  /** The parsed JSON of what was written. */
  readonly meta: unknown
  readonly body: Uint8Array
}

/** The state of a result row, enough to see whether it changed. */
export interface ResultMark {
  readonly taskId: string
  readonly mark: string
}

/** The queue. Each method of this and the other parts runs within the transaction of the session it is given. */
export interface QueueDialect {
  insert(session: SqlSession, messages: readonly NewMessage[]): Promise<void>
  /** @param after - Per queue, the place up to which rows may be passed over. */
  look(
    session: SqlSession,
    queues: readonly string[],
    holder: number,
    after?: ReadonlyMap<string, QueuePosition>,
  ): Promise<QueueStatus>
  /** Messages that can be claimed. */
  countReady(session: SqlSession, queue: string): Promise<number>
  /** Make due messages of every queue ready, oldest first; the number promoted. */
  promote(session: SqlSession): Promise<number>
  /** Claim ready rows, highest priority first, oldest first. The holder has to be kept in the same transaction. */
  claim(session: SqlSession, request: ClaimRequest): Promise<readonly ClaimedRow[]>
  /** Delete claimed rows. */
  remove(session: SqlSession, holder: number, claims: readonly ClaimKey[]): Promise<RemoveOutcome>
  /** As `remove`, slower; resolves with the claims that were lost. */
  removeHeld(session: SqlSession, holder: number, claims: readonly ClaimKey[]): Promise<readonly ClaimKey[]>
  /** Give one claimed row back; whether the claim still held. */
  giveBack(session: SqlSession, holder: number, item: GiveBack): Promise<boolean>
  /** Which of these claims another holder has by now. */
  lost(session: SqlSession, holder: number, claims: readonly ClaimKey[]): Promise<readonly ClaimKey[]>
  /** Delete messages of a queue, those that wait or claimed ones too; the number deleted. */
  drop(session: SqlSession, queue: string, which: 'waiting' | 'all'): Promise<number>
  /** Queues that others made; absent where there are no others. */
  foreignQueues?(session: SqlSession): Promise<readonly string[]>
}

/** Holders of claims, and their leases. */
export interface HolderDialect {
  /** Register a holder of claims; its id is never given out again. */
  open(session: SqlSession, leaseMs: number, owner: string): Promise<number>
  /** Renew the lease from now; whether the holder is known. */
  renew(session: SqlSession, holder: number, leaseMs: number): Promise<boolean>
  /** Renew the lease unless it is fresh; whether the holder is known. One that was reaped stays forgotten. */
  keep(session: SqlSession, holder: number, leaseMs: number): Promise<boolean>
  /** Free every claim of the holder without counting it, and forget the holder. */
  close(session: SqlSession, holder: number): Promise<void>
  /** Free the claims of holders whose lease ended up to a moment, except this one's; they stay counted. */
  reap(session: SqlSession, except: number, endedBeforeMs: number): Promise<number>
}

/** Broadcasts, in a small table that listeners read on from where they were. */
export interface BroadcastDialect {
  send(session: SqlSession, meta: string, body: Uint8Array): Promise<void>
  /** Id of the newest broadcast, 0 when there is none. */
  lastId(session: SqlSession): Promise<number>
  /** Broadcasts with a larger id, in order. */
  after(session: SqlSession, id: number): Promise<readonly BroadcastRow[]>
  /** Delete broadcasts older than this. */
  dropOld(session: SqlSession, olderThanMs: number): Promise<void>
}

/** Celery's result tables. */
export interface ResultDialect {
  /** Store results; a row whose status is SUCCESS stays as it is. `ttlMs` 0 keeps for ever. */
  upsert(session: SqlSession, rows: readonly ResultRow[], ttlMs: number): Promise<void>
  /** Rows that have not expired. */
  load(session: SqlSession, taskIds: readonly string[]): Promise<readonly ResultRow[]>
  /** Marks that change whenever the row does. */
  marks(session: SqlSession, taskIds: readonly string[]): Promise<readonly ResultMark[]>
  /** Delete expired results and groups, up to `limit` of each; the number deleted, below `limit` when none is left. */
  dropExpired(session: SqlSession, limit: number): Promise<number>
}

/** How the tables are made, and what a role must be allowed to do with them. */
export interface SchemaDialect {
  /** The broker's migrations, in order; the first makes `lovage_migration`. A released one never changes. */
  brokerMigrations(names: TableNames): readonly Migration[]
  /** Tables that the queue shares with others, beside its own; absent where there are none. */
  readonly shared?: SharedTables
  /** Whether the result tables have every column. */
  resultsAreCurrent(session: SqlSession, names: TableNames): Promise<boolean>
  /** What makes the result tables, or adds the columns that older ones lack. */
  resultMigrations(session: SqlSession, names: TableNames): Promise<readonly Migration[]>
  /** Whether a table exists, by its name in `TableNames`. */
  hasTable(session: SqlSession, table: string): Promise<boolean>
  /** Keep other processes from changing the schema until `unlock`, or to the end of the transaction. */
  lock?(session: SqlSession): Promise<void>
  unlock?(session: SqlSession): Promise<void>
  /** A `GRANT` for each right that the role lacks; absent where the rights are not looked at. */
  missingGrants?(session: SqlSession, needed: NeededRights): Promise<readonly string[]>
}

/** Everything that one SQL database does in its own way. Times are compared on the database's clock. */
export interface SqlDialect {
  readonly name: string
  /** Most rows that one claim, settlement or publish handles. */
  readonly maxBatch: number
  readonly queue: QueueDialect
  readonly holders: HolderDialect
  readonly broadcasts: BroadcastDialect
  readonly results: ResultDialect
  readonly schema: SchemaDialect
  /** Absent where a statement cannot do as much. */
  readonly atOnce?: AtOnce
  /** The database's clock. */
  now(session: SqlSession): Promise<number>
}

/** Starts watching a database for commits of any process; the result stops it. */
export type CommitWatch = (changed: () => void) => () => void

/** An open database, and how to speak to it. */
export interface OpenDatabase {
  readonly dialect: SqlDialect
  readonly database: SqlDatabase
  /** Tells of commits by other processes, where the database can. */
  readonly watch: CommitWatch
}

/** What a role uses, by names of `TableNames`; every table must be there. */
export interface NeededRights {
  /** Read, written, changed and deleted from, and the sequences behind the defaults of their columns. */
  readonly tables: readonly string[]
  /** Where ids are taken from beside those. */
  readonly sequences: readonly string[]
}

/** Tables that others make and use too, so that no record says what was done to them. */
export interface SharedTables {
  /** Whether everything is there that the queue needs. */
  areCurrent(session: SqlSession, names: TableNames): Promise<boolean>
  /** What makes them, or adds what those of others lack. */
  migrations(session: SqlSession, names: TableNames): Promise<readonly Migration[]>
}

/** Whether all rows were removed; when not, nothing may be committed. */
export type RemoveOutcome = 'all' | 'some-lost'

/** One step of the schema. */
export interface Migration {
  readonly name: string
  readonly statements: readonly string[]
}

import { LovageError } from '../errors/errors.js'
import type { Clock } from '../util/clock.js'
import type { ResultBackend, TaskRecord } from './contract.js'

/** What a wait asks of the poller. */
export interface RecordWaitOptions {
  readonly isDone: (record: TaskRecord) => boolean
  readonly onRecord?: ((record: TaskRecord) => void) | undefined
}

/** One wait for one or more records. Owned by the poller. */
export interface RecordWait {
  readonly options: RecordWaitOptions
  readonly done: Promise<ReadonlyMap<string, TaskRecord>>
  /** Resolves after the first look, or when the wait is over. */
  readonly looked: Promise<void>
  /** Tasks without a record that is done. */
  readonly missing: Set<string>
  readonly found: Map<string, TaskRecord>
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
  readonly markLooked: () => void
  /** Whether `done` is settled. */
  over: boolean
}

/** One task that somebody waits for. */
interface Awaited {
  readonly waits: Set<RecordWait>
  /** When to look next, in epoch milliseconds; `Infinity` while its look is under way. */
  nextAtMs: number
  intervalMs: number
  maxIntervalMs: number
}

/** When to look for the second time, in milliseconds; the intervals grow from there. */
export const FIRST_INTERVAL_MS = 5
const MAX_INTERVAL_MS = 500
/** Where changes are pushed, polling is only there for a push that was lost. */
const FIRST_BACKSTOP_MS = 500
const MAX_BACKSTOP_MS = 5_000
const GROWTH = 1.5
/** A large wait is told of many changes in a row; one look serves them all. */
const MANY_IDS = 16
const HINT_DELAY_MS = 5
/** How long a backend may be out of reach before the waits on it fail. */
const GIVE_UP_AFTER_MS = 30_000

/**
 * Looks for the records that all waits on one backend are missing, in one load at a time.
 *
 * A task is looked for at once, then at growing intervals. Nothing runs while nobody waits.
 */
export class RecordPoller {
  readonly #backend: ResultBackend
  readonly #clock: Clock
  readonly #awaited = new Map<string, Awaited>()
  #cancelTimer: (() => void) | undefined
  #timerAtMs = Number.POSITIVE_INFINITY
  #looking = false
  #failingSinceMs: number | undefined

  constructor(backend: ResultBackend, clock: Clock) {
    this.#backend = backend
    this.#clock = clock
  }

  /** Begin to wait. @param delayMs - When to look first, unless a hint comes before. */
  add(taskIds: readonly string[], options: RecordWaitOptions, delayMs = 0): RecordWait {
    const wait = newWait(taskIds, options)
    if (wait.missing.size === 0) this.#finish(wait)
    for (const id of wait.missing) {
      const awaited = this.#awaited.get(id) ?? newAwaited()
      this.#awaited.set(id, awaited)
      awaited.waits.add(wait)
    }
    this.#lookSoon(wait, delayMs)
    return wait
  }

  /** Something changed for this wait: it is over with this record, or looks at once, or very soon when it waits for many. */
  hint(wait: RecordWait, record?: TaskRecord): void {
    // One that ends nothing is loaded, so that it never overtakes a look that is under way.
    if (record !== undefined && this.#endsWith(wait, record)) return
    this.#lookSoon(wait, wait.missing.size > MANY_IDS ? HINT_DELAY_MS : 0)
  }

  /** Changes are pushed for this wait from now on: look once more, then rarely. */
  watched(wait: RecordWait): void {
    for (const id of wait.missing) {
      const awaited = this.#awaited.get(id)
      if (awaited === undefined) continue
      awaited.intervalMs = FIRST_BACKSTOP_MS
      awaited.maxIntervalMs = MAX_BACKSTOP_MS
    }
    this.hint(wait)
  }

  /** End a wait with an error. */
  fail(wait: RecordWait, reason: unknown): void {
    this.#end(wait, () => {
      wait.reject(reason)
    })
  }

  #lookSoon(wait: RecordWait, delayMs: number): void {
    const atMs = this.#clock.now() + delayMs
    for (const id of wait.missing) {
      const awaited = this.#awaited.get(id)
      if (awaited !== undefined) awaited.nextAtMs = Math.min(awaited.nextAtMs, atMs)
    }
    if (wait.missing.size > 0) this.#wakeBy(atMs)
  }

  /** A look that is under way plans the next one itself. */
  #wakeBy(atMs: number): void {
    if (this.#looking || atMs >= this.#timerAtMs) return
    this.#cancelTimer?.()
    this.#timerAtMs = atMs
    const delayMs = Math.min(MAX_BACKSTOP_MS, atMs - this.#clock.now())
    if (delayMs > 0) this.#cancelTimer = this.#clock.setTimer(delayMs, this.#tick)
    else queueMicrotask(this.#tick)
  }

  #planNextLook(): void {
    let nextAtMs = Number.POSITIVE_INFINITY
    for (const awaited of this.#awaited.values()) nextAtMs = Math.min(nextAtMs, awaited.nextAtMs)
    this.#wakeBy(nextAtMs)
  }

  // Never rejects: a load that fails is told to the waits.
  readonly #tick = (): void => {
    this.#timerAtMs = Number.POSITIVE_INFINITY
    if (this.#looking) return
    void this.#look()
  }

  async #look(): Promise<void> {
    const nowMs = this.#clock.now()
    const due = [...this.#awaited].filter(([, awaited]) => isDue(awaited, nowMs))
    if (due.length === 0) {
      this.#planNextLook()
      return
    }
    for (const [, awaited] of due) awaited.nextAtMs = Number.POSITIVE_INFINITY
    this.#looking = true
    try {
      const records = await this.#backend.load(due.map(([id]) => id))
      this.#failingSinceMs = undefined
      for (const [id, awaited] of due) this.#deliver(id, awaited, records.get(id))
    } catch (error) {
      this.#onFailure(due, error)
    } finally {
      this.#looking = false
    }
    for (const [, awaited] of due) this.#planNext(awaited)
    this.#planNextLook()
  }

  #deliver(id: string, awaited: Awaited, record: TaskRecord | undefined): void {
    for (const wait of awaited.waits) {
      wait.markLooked()
      if (record !== undefined) this.#offer(wait, id, record)
    }
  }

  #endsWith(wait: RecordWait, record: TaskRecord): boolean {
    const { taskId } = record
    if (!wait.missing.has(taskId) || !isDone(wait, record)) return false
    this.#offer(wait, taskId, record)
    return true
  }

  /** The wait's own functions may throw; that is the end of this wait, not of the others. */
  #offer(wait: RecordWait, id: string, record: TaskRecord): void {
    try {
      wait.options.onRecord?.(record)
      if (!wait.options.isDone(record)) return
    } catch (error) {
      this.fail(wait, error)
      return
    }
    wait.found.set(id, record)
    wait.missing.delete(id)
    this.#release(id, wait)
    if (wait.missing.size === 0) this.#finish(wait)
  }

  #planNext(awaited: Awaited): void {
    // A hint that came during the look has set an earlier moment.
    if (awaited.nextAtMs !== Number.POSITIVE_INFINITY) return
    awaited.nextAtMs = this.#clock.now() + awaited.intervalMs
    awaited.intervalMs = Math.min(awaited.maxIntervalMs, awaited.intervalMs * GROWTH)
  }

  #onFailure(due: readonly (readonly [string, Awaited])[], error: unknown): void {
    this.#failingSinceMs ??= this.#clock.now()
    const passing = error instanceof LovageError && error.retryable
    if (passing && this.#clock.now() - this.#failingSinceMs < GIVE_UP_AFTER_MS) return
    for (const [, awaited] of due) {
      for (const wait of awaited.waits) this.fail(wait, error)
    }
  }

  #finish(wait: RecordWait): void {
    this.#end(wait, wait.resolve)
  }

  #end(wait: RecordWait, settle: () => void): void {
    if (wait.over) return
    wait.over = true
    for (const id of wait.missing) this.#release(id, wait)
    settle()
    wait.markLooked()
    if (this.#awaited.size > 0) return
    this.#cancelTimer?.()
    this.#timerAtMs = Number.POSITIVE_INFINITY
  }

  #release(id: string, wait: RecordWait): void {
    const awaited = this.#awaited.get(id)
    awaited?.waits.delete(wait)
    if (awaited?.waits.size === 0) this.#awaited.delete(id)
  }
}

/** A condition that throws is asked again by a look, which tells the wait. */
function isDone(wait: RecordWait, record: TaskRecord): boolean {
  try {
    return wait.options.isDone(record)
  } catch {
    return false
  }
}

/** A moment beyond every interval means that the clock was set back. */
function isDue({ nextAtMs }: Awaited, nowMs: number): boolean {
  if (nextAtMs === Number.POSITIVE_INFINITY) return false
  return nextAtMs <= nowMs || nextAtMs - nowMs > MAX_BACKSTOP_MS
}

function newAwaited(): Awaited {
  return {
    waits: new Set(),
    nextAtMs: Number.POSITIVE_INFINITY,
    intervalMs: FIRST_INTERVAL_MS,
    maxIntervalMs: MAX_INTERVAL_MS,
  }
}

function newWait(taskIds: readonly string[], options: RecordWaitOptions): RecordWait {
  const found = new Map<string, TaskRecord>()
  const done = deferred<ReadonlyMap<string, TaskRecord>>()
  const looked = deferred<void>()
  return {
    options,
    found,
    missing: new Set(taskIds),
    over: false,
    done: done.promise,
    looked: looked.promise,
    resolve: () => {
      done.resolve(found)
    },
    reject: done.reject,
    markLooked: () => {
      looked.resolve()
    },
  }
}

interface Deferred<Value> {
  readonly promise: Promise<Value>
  readonly resolve: (value: Value) => void
  readonly reject: (reason: unknown) => void
}

/** `Promise.withResolvers`, which Node has from 22 on. */
function deferred<Value>(): Deferred<Value> {
  let resolve: (value: Value) => void = () => undefined
  let reject: (reason: unknown) => void = () => undefined
  const promise = new Promise<Value>((onValue, onError) => {
    resolve = onValue
    reject = onError
  })
  return { promise, resolve, reject }
}

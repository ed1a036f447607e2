import { isDeepStrictEqual } from 'node:util'

import type { ResultBackend, TaskRecord } from '../backend/contract.js'
import { waitForRecords } from '../backend/poll-watch.js'
import { BackendError, ConfigError, TimeoutError } from '../errors/errors.js'
import { toMs } from '../util/duration.js'
import type { WaitOptions } from './result-handle.js'
import type { ResultSource } from './source.js'
import { isReady } from './states.js'

/** How to wait for the last record of a task. */
export interface WaitForEndOptions extends WaitOptions {
  /** Whether the task was sent a moment ago, so that its record is hardly there. */
  readonly isFresh?: boolean
  /** Called at every record that differs from the one before, the last one included. */
  readonly onRecord?: ((record: TaskRecord) => void) | undefined
}

/**
 * The record that ends a task, however long that takes within `timeout`.
 *
 * @throws {@link TimeoutError} when the time is up; the signal's reason when it aborts. Either way nothing is left
 * behind that waits.
 */
export async function waitForEnd(
  source: ResultSource,
  taskId: string,
  options: WaitForEndOptions,
): Promise<TaskRecord> {
  const timeoutMs = timeoutOf(options)
  options.signal?.throwIfAborted()
  const onRecord = distinct(options.onRecord)
  if (timeoutMs === 0) return lookOnce(await source.resultBackend(), taskId, onRecord)
  const stop = new AbortController()
  const late = (): void => stop.abort(timedOut(taskId, timeoutMs))
  const cancelTimer = timeoutMs === Infinity ? undefined : source.clock.setTimer(timeoutMs, late)
  const abort = (): void => stop.abort(options.signal?.reason)
  options.signal?.addEventListener('abort', abort)
  try {
    const backend = await unlessAborted(source.resultBackend(), stop.signal)
    const isDone = (record: TaskRecord): boolean => isReady(record.state)
    const isFresh = options.isFresh === true
    const wait = { isDone, isFresh, onRecord, signal: stop.signal, clock: source.clock }
    return ended(taskId, await waitForRecords(backend, [taskId], wait))
  } finally {
    cancelTimer?.()
    options.signal?.removeEventListener('abort', abort)
  }
}

function ended(taskId: string, records: ReadonlyMap<string, TaskRecord>): TaskRecord {
  const record = records.get(taskId)
  if (record === undefined) throw new BackendError(`the wait for task ${taskId} ended without its record`)
  return record
}

async function lookOnce(
  backend: ResultBackend,
  taskId: string,
  onRecord: (record: TaskRecord) => void,
): Promise<TaskRecord> {
  const record = (await backend.load([taskId])).get(taskId)
  if (record !== undefined) onRecord(record)
  if (record === undefined || !isReady(record.state)) throw timedOut(taskId, 0)
  return record
}

function timeoutOf(options: WaitOptions): number {
  if (options.timeout === undefined) return Infinity
  const timeoutMs = toMs(options.timeout, 'timeout')
  if (timeoutMs < 0)
    throw new ConfigError(`expected timeout to be 0 or more, got: ${timeoutMs / 1000} seconds`)
  return timeoutMs
}

function timedOut(taskId: string, timeoutMs: number): TimeoutError {
  return new TimeoutError(`the operation timed out: task ${taskId} is not ready after ${timeoutMs / 1000} s`)
}

/** Leaves out what was seen before: watches may report a record more than once. */
function distinct(onRecord: ((record: TaskRecord) => void) | undefined): (record: TaskRecord) => void {
  let last: TaskRecord | undefined
  return (record) => {
    const same = last?.state === record.state && isDeepStrictEqual(last.result, record.result)
    last = record
    if (!same) onRecord?.(record)
  }
}

/** A connection that opens cannot be interrupted, but nobody has to wait for it; a failure that comes too late is dropped. */
async function unlessAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  let wake = (): void => undefined
  const aborted = new Promise<void>((resolve) => {
    wake = resolve
  })
  signal.addEventListener('abort', wake)
  if (signal.aborted) wake()
  try {
    await Promise.race([work, aborted])
    signal.throwIfAborted()
    return await work
  } finally {
    signal.removeEventListener('abort', wake)
  }
}

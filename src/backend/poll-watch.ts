import { systemClock } from '../util/clock.js'
import type { Clock } from '../util/clock.js'
import type { RecordWatch, ResultBackend, TaskRecord } from './contract.js'
import { FIRST_INTERVAL_MS, RecordPoller } from './record-poller.js'
import type { RecordWait } from './record-poller.js'

/** How to wait for records. */
export interface WaitForRecordsOptions {
  /** Whether a record is what is waited for. */
  readonly isDone: (record: TaskRecord) => boolean
  /** Ends the wait; its reason is what the wait rejects with. */
  readonly signal: AbortSignal
  /** Whether the tasks were sent a moment ago: where changes are pushed quickly, nothing is looked for before that. */
  readonly isFresh?: boolean
  /** Called with every record that is found, done or not; a record may come more than once. */
  readonly onRecord?: ((record: TaskRecord) => void) | undefined
  /**
   * Where time comes from; the first wait on a backend decides for all.
   *
   * @defaultValue the machine's clock
   */
  readonly clock?: Clock | undefined
}

/** More records than this are watched only once a look has missed them. */
const FEW = 16
const pollers = new WeakMap<ResultBackend, RecordPoller>()

/**
 * Wait until every one of these tasks has a record that is done.
 *
 * All waits on one backend share one poller. Where the backend pushes changes, a push makes it look at once, and the
 * poll behind it is slow; it looks once more after subscribing, so no record falls between.
 *
 * @returns The records, by task id.
 * @throws The signal's reason; the backend's error when loading fails for good.
 */
export async function waitForRecords(
  backend: ResultBackend,
  taskIds: readonly string[],
  options: WaitForRecordsOptions,
): Promise<ReadonlyMap<string, TaskRecord>> {
  options.signal.throwIfAborted()
  const poller = pollerOf(backend, options.clock ?? systemClock)
  const isLookedFor = options.isFresh !== true || backend.watchesQuickly !== true || taskIds.length > FEW
  const wait = poller.add(taskIds, options, isLookedFor ? 0 : FIRST_INTERVAL_MS)
  const onAbort = (): void => {
    poller.fail(wait, options.signal.reason)
  }
  options.signal.addEventListener('abort', onAbort)
  const watching = subscribe(backend, poller, wait)
  try {
    return await wait.done
  } finally {
    options.signal.removeEventListener('abort', onAbort)
    // Not awaited, because a lost connection would hold back the answer; `watching` and this chain cannot reject.
    void watching.then((watch) => watch?.close()).catch(() => undefined)
  }
}

function pollerOf(backend: ResultBackend, clock: Clock): RecordPoller {
  const known = pollers.get(backend)
  if (known !== undefined) return known
  const poller = new RecordPoller(backend, clock)
  pollers.set(backend, poller)
  return poller
}

/** Watch what is still missing after the first look. Never rejects: without a watch the poller goes on as it is. */
async function subscribe(
  backend: ResultBackend,
  poller: RecordPoller,
  wait: RecordWait,
): Promise<RecordWatch | undefined> {
  try {
    const isQuick = backend.watchesQuickly === true && wait.missing.size <= FEW
    if (!isQuick) await wait.looked
    if (backend.watch === undefined || wait.missing.size === 0 || wait.over) return undefined
    const ids = [...wait.missing]
    const watch = await backend.watch(ids, (record) => {
      poller.hint(wait, record)
    })
    poller.watched(wait)
    return watch
  } catch {
    return undefined
  }
}

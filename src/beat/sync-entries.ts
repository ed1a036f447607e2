import type { ScheduleStore, StoredEntry } from '../broker/contract.js'
import { LovageError, StoreDamagedError } from '../errors/errors.js'
import type { PeriodicEntry } from './entry.js'
import { changeEntry, continued, entryData, plain, saysTheSame } from './stored-entries.js'

/** An entry that its store did not take. */
export interface SyncFailure {
  readonly name: string
  readonly error: unknown
}

/** What a synchronisation did, by name. */
export interface SyncReport {
  /** Those that could not be kept. */
  readonly failed: readonly SyncFailure[]
  readonly added: readonly string[]
  readonly changed: readonly string[]
  readonly removed: readonly string[]
}

/**
 * Make the declared entries of a store those of this program; entries made at run time stay as they are.
 *
 * An entry that cannot be kept does not stop the others. An entry whose schedule changed starts over: nothing before now counts as missed.
 */
export async function syncEntries(
  store: ScheduleStore,
  declared: ReadonlyMap<string, PeriodicEntry>,
  nowMs: number,
): Promise<SyncReport> {
  const stored = await store.loadEntries()
  const report = {
    added: new Array<string>(),
    changed: new Array<string>(),
    removed: new Array<string>(),
    failed: new Array<SyncFailure>(),
  }
  for (const [name, entry] of declared) {
    try {
      const change = await syncEntry(store, { name, entry, nowMs }, stored.get(name)?.data)
      if (change !== undefined) report[change].push(name)
    } catch (error) {
      if (concernsAll(error)) throw error
      report.failed.push({ name, error })
    }
  }
  for (const [name, { data }] of stored) {
    if (data['origin'] !== 'declared' || declared.has(name)) continue
    report.removed.push(name)
    await store.removeEntry(name)
  }
  return report
}

interface Declared {
  readonly name: string
  readonly entry: PeriodicEntry
  readonly nowMs: number
}

async function syncEntry(
  store: ScheduleStore,
  { name, entry, nowMs }: Declared,
  known: StoredEntry['data'] | undefined,
): Promise<'added' | 'changed' | undefined> {
  const fresh = plain(entryData(entry, 'declared', nowMs))
  if (known?.['origin'] === 'declared' && saysTheSame(known, fresh)) return undefined
  await changeEntry(store, name, (present) => continued(present, fresh))
  return known === undefined ? 'added' : 'changed'
}

/** A connection that was lost and a store that is damaged concern all entries; anything else this one alone. */
function concernsAll(error: unknown): boolean {
  return error instanceof LovageError && (error.retryable || error instanceof StoreDamagedError)
}

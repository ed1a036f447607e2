import type { ScheduleStore } from '../broker/contract.js'
import type { PeriodicEntry } from './entry.js'
import { changeEntry, continued, entryData, plain, saysTheSame } from './stored-entries.js'

/** What a synchronisation did, by name. */
export interface SyncReport {
  readonly added: readonly string[]
  readonly changed: readonly string[]
  readonly removed: readonly string[]
}

/**
 * Make the declared entries of a store those of this program; entries made at run time stay as they are.
 *
 * An entry whose schedule changed begins anew: nothing before now counts as missed.
 */
export async function syncEntries(
  store: ScheduleStore,
  declared: ReadonlyMap<string, PeriodicEntry>,
  nowMs: number,
): Promise<SyncReport> {
  const stored = await store.loadEntries()
  const report = { added: new Array<string>(), changed: new Array<string>(), removed: new Array<string>() }
  for (const [name, entry] of declared) {
    const known = stored.get(name)?.data
    const fresh = plain(entryData(entry, 'declared', nowMs))
    if (known === undefined) report.added.push(name)
    else if (known['origin'] === 'declared' && saysTheSame(known, fresh)) continue
    else report.changed.push(name)
    await changeEntry(store, name, (present) => continued(present, fresh))
  }
  for (const [name, { data }] of stored) {
    if (data['origin'] !== 'declared' || declared.has(name)) continue
    report.removed.push(name)
    await store.removeEntry(name)
  }
  return report
}

import type { ResultBackend, TaskRecord } from '../../backend/contract.js'
import type { SettleItem } from './settle-item.js'

/** Some result tables keep whole seconds. */
const COARSEST_MS = 1_000

/** Tags of the items whose own record stands in the store: an earlier try was applied, and only its answer was lost. */
export async function ownSettlements(
  backend: ResultBackend,
  items: readonly SettleItem[],
): Promise<ReadonlySet<string>> {
  const written = items.flatMap(({ delivery, settlement: { record } }) =>
    record === undefined ? [] : [{ tag: delivery.tag, record }],
  )
  if (written.length === 0) return new Set()
  const standing = await backend.load(written.map(({ record }) => record.taskId))
  const own = written.filter(({ record }) => isSame(record, standing.get(record.taskId)))
  return new Set(own.map(({ tag }) => tag))
}

/** Another worker's end of the same task has another moment, and another stack where it failed. */
function isSame(record: TaskRecord, standing: TaskRecord | undefined): boolean {
  if (standing?.state !== record.state || standing.traceback !== record.traceback) return false
  if (record.doneAtMs === undefined || standing.doneAtMs === undefined)
    return record.doneAtMs === standing.doneAtMs
  return Math.abs(record.doneAtMs - standing.doneAtMs) <= COARSEST_MS
}

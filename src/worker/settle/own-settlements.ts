import type { ResultBackend, TaskRecord } from '../../backend/contract.js'
import type { Broker, Consumer } from '../../broker/contract.js'
import { leaseOf } from '../../broker/lease-of.js'
import type { SettleItem } from './settle-item.js'

/** What tells whose settlement stands. */
export interface SettlementWitnesses {
  readonly broker: Broker
  readonly consumer: Consumer
  readonly backend: ResultBackend | undefined
  readonly leaseMs: number
}

/** Some result tables keep whole seconds. */
const COARSEST_MS = 1_000

/**
 * Tags of the items that an earlier try of ours settled, and only its answer was lost: their claims are gone.
 *
 * A holder whose lease has never ended lost no claim to anyone, so that what is gone was settled by it. Where claims are
 * renewed one by one, the record that stands in the result backend tells.
 */
export async function ownSettlements(
  { broker, consumer, backend, leaseMs }: SettlementWitnesses,
  items: readonly SettleItem[],
): Promise<ReadonlySet<string>> {
  const lease = leaseOf(broker, consumer)
  if (lease?.leases.renews === 'holder') {
    const { held } = await lease.leases.renew(lease.holder, [], leaseMs)
    if (held) return new Set(items.map(({ delivery }) => delivery.tag))
  }
  return backend === undefined ? new Set() : ownRecords(backend, items)
}

/** Tags of the items whose own record stands in the store. */
async function ownRecords(
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

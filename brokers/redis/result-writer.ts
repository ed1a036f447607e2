import type { TaskRecord } from '../../src/backend/contract.js'
import type { Operation } from './operations.js'

/** The result backend as a broker sees it whose scripts can reach its database. */
export interface ResultWriter {
  /** The number of the database that results are in. */
  readonly database: number
  /** The operation that stores a record for `ttlMs`; 0 keeps it. */
  storeOperation(record: TaskRecord, ttlMs: number): Operation
  /** Read stored results that no script can read: the hash of each that may be replaced, `undefined` for a success. */
  inspect(keys: readonly string[]): Promise<ReadonlyMap<string, string | undefined>>
}

/** Operations for another try after {@link ResultWriter.inspect}: those that would replace a success are left out. */
export function afterInspection(
  operations: readonly Operation[],
  inspected: ReadonlyMap<string, string | undefined>,
): readonly Operation[] {
  return operations.flatMap((operation) => {
    const [kind, key, ttl, document] = operation
    if (kind !== 'S' || typeof key !== 'string' || !inspected.has(key)) return [operation]
    const hash = inspected.get(key)
    return hash === undefined ? [] : [['S', key, ttl ?? 0, document ?? '', hash]]
  })
}

import type { TaskRecord } from '../../src/backend/contract.js'
import type { Operation } from './operations.js'
import type { ServerTarget } from './target.js'

/** The result backend as a broker sees it whose scripts can reach its database. */
export interface ResultWriter {
  /** The server it is on. */
  readonly resultTarget: ServerTarget
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

/** The backend as a writer on the same server as `target`; `undefined` when it is another backend or elsewhere. */
export function writerFor(backend: object | undefined, target: ServerTarget): ResultWriter | undefined {
  if (backend === undefined || !isWriter(backend)) return undefined
  return backend.resultTarget.serverIdentity === target.serverIdentity ? backend : undefined
}

function isWriter(backend: object): backend is ResultWriter {
  return 'resultTarget' in backend && 'storeOperation' in backend
}

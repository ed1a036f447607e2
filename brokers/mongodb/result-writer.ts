import type { ClientSession } from 'mongodb'
import type { TaskRecord } from '../../src/backend/contract.js'

/** A record and how long to keep it, in milliseconds; 0 keeps it. */
export interface KeptRecord {
  readonly record: TaskRecord
  readonly ttlMs: number
}

/** The result backend as the broker of the same server sees it. */
export interface ResultWriter {
  /** Write records; in a transaction when there is a session. */
  writeWithin(session: ClientSession | undefined, records: readonly KeptRecord[]): Promise<void>
}

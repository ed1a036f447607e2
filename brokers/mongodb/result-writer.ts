import type { ClientSession } from 'mongodb'
import type { TaskRecord } from '../../src/backend/contract.js'
import { linkKey } from './connection.js'
import type { MongoTarget } from './settings.js'

/** A record and how long to keep it, in milliseconds; 0 keeps it. */
export interface KeptRecord {
  readonly record: TaskRecord
  readonly ttlMs: number
}

/** The result backend as the broker of the same server sees it. */
export interface ResultWriter {
  readonly resultTarget: MongoTarget
  /** Write records; in a transaction when there is a session. */
  writeWithin(session: ClientSession | undefined, records: readonly KeptRecord[]): Promise<void>
}

/** The backend as a writer, if it is on the same server as the broker. */
export function writerFor(backend: object | undefined, target: MongoTarget): ResultWriter | undefined {
  if (backend === undefined || !isWriter(backend)) return undefined
  return linkKey(backend.resultTarget) === linkKey(target) ? backend : undefined
}

function isWriter(backend: object): backend is ResultWriter {
  return 'writeWithin' in backend && 'resultTarget' in backend
}

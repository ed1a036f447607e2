import { createHash } from 'node:crypto'

/** Namespace of the ids of occurrences: a UUID made once for Lovage. */
const NAMESPACE = Buffer.from('6f1a4d2e0c5b4f7e9a3b8d6c2e1f0a59', 'hex')

/**
 * The id of an occurrence and of the task that is sent for it: the name-based UUID (version 5) of the entry's name and the
 * instant, so that every beat gives it the same one and a consumer can tell a double.
 */
export function occurrenceId(entry: string, scheduledAtMs: number): string {
  const name = `${entry}\n${new Date(scheduledAtMs).toISOString()}`
  const bytes = createHash('sha1').update(NAMESPACE).update(name).digest().subarray(0, 16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

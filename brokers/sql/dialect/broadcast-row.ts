import type { SqlRow } from '../session.js'
import type { BroadcastRow } from './dialect.js'

/** A row of `id, meta, body`. */
export function broadcastRow([id, text, body]: SqlRow): BroadcastRow {
  const meta: unknown = JSON.parse(String(text))
  return { id: Number(id), meta, body: body instanceof Uint8Array ? body : new Uint8Array() }
}

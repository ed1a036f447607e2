import { parsedJson } from '../../../src/util/parsed-json.js'
import type { SqlRow } from '../sql-session.js'
import type { BroadcastRow } from './dialect.js'

/** A row of `id, meta, body`. */
export function broadcastRow([id, text, body]: SqlRow): BroadcastRow {
  return {
    id: Number(id),
    meta: parsedJson(text),
    body: body instanceof Uint8Array ? body : new Uint8Array(),
  }
}

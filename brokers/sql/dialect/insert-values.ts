import type { SqlValue } from '../sql-session.js'
import type { NewMessage } from './dialect.js'
import { piecesOf, severalRows } from './pieces.js'
import { holdValues } from './queue.js'
import type { QueueFragments } from './queue.js'

/** How an insert of messages with their values in the statement is written. */
export interface ValuesInsert {
  readonly now: string
  /** The column of the order of claims, and what it is for a priority. */
  readonly order: { readonly column: string; readonly sign: 1 | -1 }
  /** A further column that is 1 where a row can be claimed. */
  readonly readyColumn?: string
  /** Most bytes of a statement of several rows. */
  readonly mostBytes: number
}

/** An insert of up to a hundred messages a statement; those to be held go in separately, their due time set by the database. */
export function insertOfValues({
  now,
  order,
  readyColumn,
  mostBytes,
}: ValuesInsert): QueueFragments['insert'] {
  const columns = `queue, ${order.column}, meta, body`
  const [column, value] = readyColumn === undefined ? ['', ''] : [`, ${readyColumn}`, ',1']
  const ready = severalRows(`INSERT INTO {message} (${columns}${column})`, `(?,?,?,?${value})`)
  const held = severalRows(`INSERT INTO {message} (${columns}, due_ms, due)`, `(?,?,?,?,? + ? * ${now},1)`)
  const valuesOf = ({ queue, priority, meta, body }: NewMessage): SqlValue[] => [
    queue,
    order.sign * priority,
    meta,
    body,
  ]
  return async (session, messages) => {
    for (const piece of piecesOf(
      messages.filter(({ hold }) => hold === undefined),
      sizeOf,
      mostBytes,
    )) {
      await session.run(ready(piece.length), piece.flatMap(valuesOf))
    }
    for (const piece of piecesOf(
      messages.filter(({ hold }) => hold !== undefined),
      sizeOf,
      mostBytes,
    )) {
      const values = piece.flatMap((message) => [...valuesOf(message), ...holdValues(message.hold)])
      await session.run(held(piece.length), values)
    }
  }
}

function sizeOf({ meta, body }: NewMessage): number {
  return meta.length + body.length
}

import type { NamedValues, SqlSession } from '../sql-session.js'

/** What every part of a dialect says in the same way. */
export interface Fragments {
  /** The present moment in epoch milliseconds; one moment within a statement. */
  readonly now: string
  /** A value as a whole number of 64 bits, where the database could take it for another. */
  readonly integer: (name: string) => string
  /** The condition of a row whose `column` is one of a list, which is `$ids` unless it is named. */
  readonly among: (column: string, list?: string) => string
}

/** A change of rows that are found, or found and locked, by a statement of their own where one statement cannot do both. */
export interface FoundChange {
  /** Reads ids, which `change` is given as `$ids`. */
  readonly find?: string
  readonly change: string
}

/** The database's clock. */
export async function readNow(session: SqlSession, { now }: Pick<Fragments, 'now'>): Promise<number> {
  const [row] = await session.all(`SELECT ${now}`)
  return Number(row?.[0])
}

/** Do it; the number of rows changed. */
export async function onFound(
  session: SqlSession,
  { find, change }: FoundChange,
  values: NamedValues,
): Promise<number> {
  if (find === undefined) return session.run(change, values)
  const ids = idsOf(await session.all(find, values))
  return ids.length === 0 ? 0 : session.run(change, { ids })
}

/** The first column of rows. */
export function idsOf(rows: readonly (readonly unknown[])[]): readonly number[] {
  return rows.map(([id]) => Number(id))
}

import type { ResultTuple } from './result-handle.js'

/** A result tuple taken apart. */
export interface ParsedTuple {
  readonly id: string
  readonly parent: ParsedTuple | undefined
  /** Members, when the tuple is a group's. */
  readonly members: readonly ParsedTuple[] | undefined
}

/**
 * Read Celery's nested form of a result, a bare id of old included; `undefined` for anything else.
 *
 * @source Celery 5.7, `celery/result.py`, `result_from_tuple`.
 */
export function parseResultTuple(value: unknown): ParsedTuple | undefined {
  if (typeof value === 'string') return { id: value, parent: undefined, members: undefined }
  if (!isList(value)) return undefined
  const [head, members] = value
  const [id, parent] = isList(head) ? head : [head]
  if (typeof id !== 'string') return undefined
  return {
    id,
    parent: parseResultTuple(parent),
    members: isList(members) ? parseTuples(members) : undefined,
  }
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}

/** Read a list of result tuples; what is none is left out. */
export function parseTuples(values: readonly unknown[]): readonly ParsedTuple[] {
  return values.map(parseResultTuple).filter((tuple) => tuple !== undefined)
}

/** The tuples of single tasks, with the members of groups in place of the groups. */
export function flattenGroups(tuples: readonly ParsedTuple[]): readonly ParsedTuple[] {
  return tuples.flatMap((tuple) => (tuple.members === undefined ? [tuple] : flattenGroups(tuple.members)))
}

/** The tuple of one task after another. */
export function taskTuple(id: string, parent: ResultTuple | undefined): ResultTuple {
  return [[id, parent ?? null], null]
}

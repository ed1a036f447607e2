/** Objects looked at before the search is given up: it is for a message, not worth seconds. */
const MOST_STEPS = 100_000

interface Search {
  stepsLeft: number
  /** The objects from the root to the one looked at. */
  readonly ancestors: object[]
  readonly path: (string | number)[]
}

/** Keys and indexes of the shortest way to an object that contains itself; `undefined` when none is found. */
export function findCircle(root: unknown, maxDepth: number): readonly (string | number)[] | undefined {
  const search: Search = { stepsLeft: MOST_STEPS, ancestors: [], path: [] }
  // Deeper and deeper, so that the first way found is a shortest one.
  for (let depth = 1; depth <= maxDepth && search.stepsLeft > 0; depth += 1) {
    if (closes(root, depth, search)) return search.path
  }
  return undefined
}

/** Whether a way of at most `depth` steps leads from here to an object it came through; it is then in `path`. */
function closes(value: unknown, depth: number, search: Search): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { ancestors, path } = search
  if (ancestors.includes(value)) return true
  search.stepsLeft -= 1
  if (depth === 0 || search.stepsLeft <= 0) return false
  ancestors.push(value)
  for (const key of Array.isArray(value) ? value.keys() : Object.keys(value)) {
    path.push(key)
    if (closes(Reflect.get(value, key), depth - 1, search)) return true
    path.pop()
  }
  ancestors.pop()
  return false
}

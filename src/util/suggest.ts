/**
 * The candidate that was most likely meant by a mistyped name, or `undefined` when none is near.
 *
 * Near means at most one edit for every three characters (at least one), where an edit adds, drops or replaces a
 * character or swaps two neighbours; case and `_`, `-`, `.` count for nothing.
 */
export function suggest(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = folded(name)
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1
  for (const candidate of candidates) {
    const distance = editDistance(wanted, folded(candidate), bestDistance)
    if (distance >= bestDistance) continue
    best = candidate
    bestDistance = distance
  }
  return best
}

/** What to say of an unknown name: the one that was most likely meant, else all there are. */
export function adviceOn(
  name: string,
  known: Iterable<string>,
  shown: readonly string[] = [...known],
): string {
  const near = suggest(name, known)
  return near === undefined ? `known are: ${shown.join(', ')}` : `did you mean "${near}"?`
}

function folded(name: string): string {
  return name.toLowerCase().replace(/[_.-]/g, '')
}

/** Damerau-Levenshtein distance (adjacent swaps), or `limit` as soon as it cannot be less. */
function editDistance(from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) >= limit) return limit
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1]
      const replaced = at(last, column - 1) + (same ? 0 : 1)
      let cost = Math.min(at(last, column) + 1, at(current, column - 1) + 1, replaced)
      if (isSwap(from, row, to, column)) cost = Math.min(cost, at(beforeLast, column - 2) + 1)
      current.push(cost)
    }
    beforeLast = last
    last = current
  }
  return Math.min(at(last, to.length), limit)
}

function isSwap(from: string, row: number, to: string, column: number): boolean {
  return row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY
}

/** How many rows one statement takes: few sizes, so that few statements serve any number. */
export const PIECE_SIZES: readonly number[] = [100, 25, 5, 1]

/** Most bytes of a statement of several rows, about. */
const MOST_BYTES = 2 ** 20

/** As {@link pieces}, one by one where all together are long: a server has a limit for a statement. */
export function piecesOf<Item>(
  items: readonly Item[],
  bytesOf: (item: Item) => number,
): Generator<readonly Item[]> {
  const bytes = items.reduce((sum, item) => sum + bytesOf(item), 0)
  return bytes > MOST_BYTES ? pieces(items, [1]) : pieces(items)
}

/** Split a list into pieces of these sizes. */
export function* pieces<Item>(
  items: readonly Item[],
  sizes: readonly number[] = PIECE_SIZES,
): Generator<readonly Item[]> {
  let from = 0
  while (from < items.length) {
    const left = items.length - from
    const size = sizes.find((one) => one <= left) ?? 1
    yield items.slice(from, from + size)
    from += size
  }
}

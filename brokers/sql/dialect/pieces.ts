/** How many rows one statement takes: few sizes, so that few statements serve any number. */
export const PIECE_SIZES: readonly number[] = [100, 25, 5, 1]

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

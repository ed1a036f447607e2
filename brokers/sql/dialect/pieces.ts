/** How many rows one statement takes: few sizes, so that few statements serve any number. */
const PIECE_SIZES: readonly number[] = [100, 25, 5, 1]

/** Split a list into pieces of few sizes; one by one where all together are longer than `mostBytes`. */
export function* piecesOf<Item>(
  items: readonly Item[],
  bytesOf: (item: Item) => number = () => 0,
  mostBytes: number = Number.POSITIVE_INFINITY,
): Generator<readonly Item[]> {
  const isLong = mostBytes !== Number.POSITIVE_INFINITY && sum(items.map(bytesOf)) > mostBytes
  const sizes = isLong ? [1] : PIECE_SIZES
  let from = 0
  while (from < items.length) {
    const left = items.length - from
    const size = sizes.find((one) => one <= left) ?? 1
    yield items.slice(from, from + size)
    from += size
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

/** A statement whose values stand in it, for each number of rows. */
export function severalRows(head: string, row: string, tail = ''): (rows: number) => string {
  const texts = new Map<number, string>()
  return (rows) => {
    const known = texts.get(rows)
    if (known !== undefined) return known
    const text = `${head} VALUES ${Array.from({ length: rows }, () => row).join(',')} ${tail}`
    texts.set(rows, text)
    return text
  }
}

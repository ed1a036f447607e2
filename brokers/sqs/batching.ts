/** Most entries of one batch request. */
export const BATCH_LIMIT = 10

/** Cut into batches of at most ten that together stay within `most`, where items have a size. */
export function toBatches<Item>(
  items: readonly Item[],
  most: number = Number.POSITIVE_INFINITY,
  sizeOf: (item: Item) => number = () => 0,
): readonly (readonly Item[])[] {
  const batches: Item[][] = []
  let batch: Item[] = []
  let size = 0
  for (const item of items) {
    const own = sizeOf(item)
    if (batch.length === BATCH_LIMIT || (batch.length > 0 && size + own > most)) {
      batches.push(batch)
      batch = []
      size = 0
    }
    batch.push(item)
    size += own
  }
  if (batch.length > 0) batches.push(batch)
  return batches
}

/** Do `work` for each item, at most `most` at a time; rejects with the first failure once all have ended. */
export async function sideBySide<Item>(
  items: readonly Item[],
  most: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const left = items.values()
  const failures: unknown[] = []
  const lane = async (): Promise<void> => {
    for (const item of left) {
      try {
        await work(item)
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, lane))
  if (failures.length > 0) throw failures[0]
}

/** Items by a key, in the order the keys came. */
export function groupBy<Key, Item>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}

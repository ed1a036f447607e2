/** Items that are begun together. */
const WAVE = 1000

/**
 * Do something with each of many items, one wave of a thousand after the other: the collector of garbage has fewer of them
 * to carry along than all at once.
 *
 * @throws The first error, once all of them have ended.
 */
export async function inWaves<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = []
  const errors: unknown[] = []
  for (let from = 0; from < items.length; from += WAVE) {
    const wave = items.slice(from, from + WAVE).map(work)
    try {
      for (const result of await Promise.all(wave)) results.push(result)
    } catch (error) {
      errors.push(error)
      await Promise.allSettled(wave)
    }
  }
  if (errors.length > 0) throw errors[0]
  return results
}

import { PublishError } from '../errors/errors.js'
import { append } from '../util/long-list.js'
import type { Outgoing } from './contract.js'

/** Call `work` with at most `size` items at a time, one call after the other, and join what it resolves with. */
export async function inChunks<Item, Result>(
  items: readonly Item[],
  size: number,
  work: (chunk: readonly Item[]) => Promise<readonly Result[]>,
): Promise<readonly Result[]> {
  if (items.length === 0) return []
  if (items.length <= size) return work(items)
  const results: Result[] = []
  for (let start = 0; start < items.length; start += size) {
    append(results, await work(items.slice(start, start + size)))
  }
  return results
}

/** How far a publish in chunks has come. */
export interface PublishProgress {
  /** Positions refused so far. */
  readonly refused: number[]
  /** Positions below this one are answered for. */
  answered: number
}

/** How {@link publishInChunks} goes about it. */
export interface ChunkedPublish {
  /** Messages of a chunk. */
  readonly size: number
  readonly progress: PublishProgress
  /** Ends it before the next chunk. */
  readonly signal: AbortSignal
}

/**
 * Publish a batch in chunks.
 *
 * A chunk that is refused in part does not keep the next ones from being sent. Any other failure ends it; once
 * something is confirmed, that failure becomes the cause of a `PublishError` that names what is not.
 */
export async function publishInChunks(
  batch: readonly Outgoing[],
  { size, progress, signal }: ChunkedPublish,
  publish: (chunk: readonly Outgoing[]) => Promise<void>,
): Promise<void> {
  let firstRefusal: PublishError | undefined
  for (let start = 0; start < batch.length && !signal.aborted; start += size) {
    try {
      await publish(batch.slice(start, start + size))
    } catch (error) {
      if (!(error instanceof PublishError)) throw unlessWhole(error, batch, progress)
      append(
        progress.refused,
        error.indexes.map((index) => index + start),
      )
      firstRefusal ??= error
    }
    progress.answered = Math.min(batch.length, start + size)
  }
  if (firstRefusal === undefined) return
  const { message, notSent } = firstRefusal
  throw new PublishError(message, unconfirmed(batch, progress), { cause: firstRefusal, notSent })
}

/** Positions of a batch that nobody has confirmed. */
export function unconfirmed(batch: readonly Outgoing[], progress: PublishProgress): readonly number[] {
  const open = Array.from(
    { length: batch.length - progress.answered },
    (_, index) => progress.answered + index,
  )
  return [...progress.refused, ...open]
}

function unlessWhole(error: unknown, batch: readonly Outgoing[], progress: PublishProgress): unknown {
  const left = unconfirmed(batch, progress)
  if (left.length === batch.length) return error
  return new PublishError(
    `${String(left.length)} of ${String(batch.length)} messages are not confirmed`,
    left,
    {
      cause: error,
    },
  )
}

/** What the tag of a claim says, to any thread of the process. */
export interface Claim {
  readonly queue: string
  readonly url: string
  readonly handle: string
  /** When the claim ends unless renewed, on the clock of the machine's threads, in milliseconds. */
  readonly untilMs: number
  /** When the service makes the message visible whatever is asked, on the same clock. */
  readonly ceilingMs: number
}

/** Write a tag. */
export function toTag({ queue, url, handle, untilMs, ceilingMs }: Claim): string {
  return JSON.stringify([queue, url, handle, untilMs, ceilingMs])
}

/** Read a tag; undefined for what {@link toTag} did not write. */
export function readTag(tag: string): Claim | undefined {
  const fields: unknown = JSON.parse(tag)
  if (!isList(fields)) return undefined
  const [queue, url, handle, untilMs, ceilingMs] = fields
  return {
    queue: String(queue),
    url: String(url),
    handle: String(handle),
    untilMs: Number(untilMs),
    ceilingMs: Number(ceilingMs),
  }
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}

/** An entry of `unacked`: what is claimed, and by which route it came. */
export interface ClaimEntry {
  /** As it was written, to the byte. */
  readonly envelope: string
  readonly exchange: string
  readonly routingKey: string
}

/**
 * Read an entry of `unacked`, of Lovage's or of Celery's; `undefined` for what is none.
 *
 * @source kombu 5.7, `kombu/transport/redis.py`, `QoS.append`.
 */
export function readEntry(entry: string): ClaimEntry | undefined {
  const routingKey = lastString(entry, entry.lastIndexOf(']'))
  const exchange = lastString(entry, routingKey?.start ?? -1)
  if (routingKey === undefined || exchange === undefined) return undefined
  const end = entry.lastIndexOf(',', exchange.start)
  return { envelope: entry.slice(1, end), exchange: exchange.value, routingKey: routingKey.value }
}

/** The last JSON string before a position of a text. */
function lastString(
  text: string,
  before: number,
): { readonly value: string; readonly start: number } | undefined {
  const close = before < 1 ? -1 : text.lastIndexOf('"', before - 1)
  let start = close
  do start = text.lastIndexOf('"', start - 1)
  while (start > 0 && isEscaped(text, start))
  if (close < 1 || start < 0 || start >= close) return undefined
  try {
    return { value: String(JSON.parse(text.slice(start, close + 1))), start }
  } catch {
    return undefined
  }
}

function isEscaped(text: string, at: number): boolean {
  let slashes = 0
  while (text[at - 1 - slashes] === '\\') slashes += 1
  return slashes % 2 === 1
}

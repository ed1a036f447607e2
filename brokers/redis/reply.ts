/** A reply as a list; anything else is an empty one. */
export function listOf(reply: unknown): readonly unknown[] {
  return Array.isArray(reply) ? reply : []
}

/** A list in which two of a kind follow each other, as pairs. */
export function pairs(list: readonly unknown[]): (readonly [unknown, unknown])[] {
  return list.flatMap((first, at) => (at % 2 === 0 ? [[first, list[at + 1]] as const] : []))
}

/** A reply as texts. */
export function textsOf(reply: unknown): readonly string[] {
  return listOf(reply).map(textOf)
}

/** A reply as numbers. */
export function numbersOf(reply: unknown): readonly number[] {
  return listOf(reply).map(Number)
}

/** A reply as text. */
export function textOf(reply: unknown): string {
  if (typeof reply === 'string') return reply
  return Buffer.isBuffer(reply) ? reply.toString('utf8') : String(reply)
}

/** A reply as a number. */
export function numberOf(reply: unknown): number {
  return Number(textOf(reply))
}

/** Where a member of an object stands in its text. */
interface TextRange {
  readonly start: number
  readonly end: number
}

const QUOTE = 34
const COMMA = 44
const BACKSLASH = 92

/**
 * The text of an object with one member set to what `change` makes of its text, `undefined` where there is none.
 *
 * Everything else stays as it was written, byte for byte: numbers of any size, `NaN`, order, escapes and spaces. The
 * text must be an object that a parser has read.
 */
export function withMember(
  object: string,
  name: string,
  change: (value: string | undefined) => string,
): string {
  const place = placeOf(object, JSON.stringify(name))
  if (place !== undefined) {
    const value = object.slice(place.start, place.end)
    return object.slice(0, place.start) + change(value) + object.slice(place.end)
  }
  const end = object.lastIndexOf('}')
  const isEmpty = object.slice(object.indexOf('{') + 1, end).trim() === ''
  return `${object.slice(0, end)}${isEmpty ? '' : ','}${JSON.stringify(name)}:${change(undefined)}}`
}

/** The last member of that name, which is the one that parsers take. */
function placeOf(object: string, quotedName: string): TextRange | undefined {
  let found: TextRange | undefined
  let at = object.indexOf('{') + 1
  for (;;) {
    const nameStart = object.indexOf('"', at)
    if (nameStart === -1) return found
    const nameEnd = endOfString(object, nameStart) + 1
    const start = object.indexOf(':', nameEnd) + 1
    const end = endOfValue(object, start)
    if (object.slice(nameStart, nameEnd) === quotedName) found = withoutSpace(object, { start, end })
    if (object.charCodeAt(end) !== COMMA) return found
    at = end + 1
  }
}

function withoutSpace(text: string, { start, end }: TextRange): TextRange {
  const value = text.slice(start, end)
  return { start: end - value.trimStart().length, end: start + value.trimEnd().length }
}

/** The comma or bracket behind a value. */
function endOfValue(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at)
    else if (code === COMMA && depth === 0) return at
    // Brackets and braces differ only in one bit: 5B 5D, 7B 7D.
    else if ((code & 0xdf) === 0x5b) depth += 1
    else if ((code & 0xdf) === 0x5d) {
      if (depth === 0) return at
      depth -= 1
    }
  }
  return text.length
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) return at
    if (code === BACKSLASH) at += 1
  }
  return text.length
}

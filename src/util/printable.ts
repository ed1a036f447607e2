/** Control characters (C0, DEL, C1), line and paragraph separators, and what reverses the direction of text. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

const SHORT_FORMS: ReadonlyMap<string, string> = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
])

/**
 * Foreign text on one line: what would move the cursor, break the line or command a terminal is shown as an escape.
 *
 * The escapes are those of JSON, so that a JSON document keeps its meaning.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escaped)
}

/** The same for text of several lines: line breaks and tabs stay. */
export function printableLines(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replace(UNPRINTABLE, (character) =>
      character === '\n' || character === '\t' ? character : escaped(character),
    )
}

function escaped(character: string): string {
  const short = SHORT_FORMS.get(character)
  return short ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

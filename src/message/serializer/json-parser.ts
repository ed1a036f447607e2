import { DecodeError } from '../../errors/errors.js'

// As long as Python reads; also keeps the conversion, which is not linear, short.
const LONGEST_INTEGER = 4300

const WORDS: readonly (readonly [string, unknown])[] = [
  ['null', null],
  ['true', true],
  ['false', false],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]

const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y
const SPACE = /[ \t\n\r]*/y

/**
 * Read JSON as Python does where `JSON.parse` cannot: `NaN` and the infinities as bare words, and integers beyond
 * 2^53, which become BigInt. The nesting has to be checked before.
 *
 * @throws DecodeError at the first character that is not JSON.
 */
export function parseTolerantJson(text: string): unknown {
  const parser = new Parser(text)
  const value = parser.value()
  parser.end()
  return value
}

class Parser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  value(): unknown {
    this.#skipSpace()
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object()
      case '[':
        return this.#array()
      case '"':
        return this.#string()
      default:
        return this.#scalar()
    }
  }

  end(): void {
    this.#skipSpace()
    if (this.#at < this.#text.length) throw this.#unexpected()
  }

  #object(): Record<string, unknown> {
    const record: Record<string, unknown> = {}
    this.#at += 1
    if (this.#takes('}')) return record
    do {
      this.#skipSpace()
      if (this.#text[this.#at] !== '"') throw this.#unexpected()
      const key = this.#string()
      if (!this.#takes(':')) throw this.#unexpected()
      const value = this.value()
      // Assigning it would set the prototype.
      if (key !== '__proto__') record[key] = value
    } while (this.#takes(','))
    if (!this.#takes('}')) throw this.#unexpected()
    return record
  }

  #array(): unknown[] {
    const items: unknown[] = []
    this.#at += 1
    if (this.#takes(']')) return items
    do items.push(this.value())
    while (this.#takes(','))
    if (!this.#takes(']')) throw this.#unexpected()
    return items
  }

  #string(): string {
    const start = this.#at
    let end = start + 1
    for (; end < this.#text.length; end += 1) {
      const character = this.#text[end]
      if (character === '"') break
      if (character === '\\') end += 1
    }
    this.#at = end + 1
    try {
      return String(JSON.parse(this.#text.slice(start, end + 1)))
    } catch {
      this.#at = start
      throw this.#unexpected()
    }
  }

  #scalar(): unknown {
    for (const [word, value] of WORDS) {
      if (!this.#text.startsWith(word, this.#at)) continue
      this.#at += word.length
      return value
    }
    return this.#number()
  }

  #number(): number | bigint {
    NUMBER.lastIndex = this.#at
    const found = NUMBER.exec(this.#text)
    if (!found) throw this.#unexpected()
    const [digits, fraction, exponent] = found
    if (digits.length > LONGEST_INTEGER) {
      throw new DecodeError(`a number of ${digits.length} digits is longer than ${LONGEST_INTEGER}`)
    }
    this.#at += digits.length
    const value = Number(digits)
    const isInteger = fraction === undefined && exponent === undefined
    return isInteger && !Number.isSafeInteger(value) ? BigInt(digits) : value
  }

  #takes(character: string): boolean {
    this.#skipSpace()
    if (this.#text[this.#at] !== character) return false
    this.#at += 1
    return true
  }

  #skipSpace(): void {
    SPACE.lastIndex = this.#at
    SPACE.exec(this.#text)
    this.#at = SPACE.lastIndex
  }

  #unexpected(): DecodeError {
    const found = this.#text[this.#at]
    const what = found === undefined ? 'the end' : JSON.stringify(found)
    return new DecodeError(`the data are not JSON: unexpected ${what} at position ${this.#at}`)
  }
}

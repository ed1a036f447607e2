/**
 * Values that Python has and JavaScript has not, kept so that they are written back as they were read.
 *
 * Each is its text: `String(value)` and `JSON.stringify(value)` give it.
 */
abstract class TextValue {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }

  toJSON(): string {
    return this.#text
  }
}

/** A Python `Decimal`: its digits as written, `0.10` and `1E+3` included. */
export class Decimal extends TextValue {
  /** The nearest JavaScript number. */
  toNumber(): number {
    return Number(this.toString())
  }
}

/** A Python `UUID`, in its usual form with hyphens. */
export class Uuid extends TextValue {
  /** Accepts 32 hexadecimal digits with or without hyphens. */
  constructor(text: string) {
    const hex = text.replaceAll('-', '').toLowerCase()
    super(hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'))
  }

  /** The 32 digits alone. */
  get hex(): string {
    return this.toString().replaceAll('-', '')
  }
}

/** A Python `date`: a day without a time or a zone, `2024-02-29`. */
export class PlainDate extends TextValue {}

/** A Python `time`: a time of day, `01:02:03.000004`, with an offset if it has one. */
export class PlainTime extends TextValue {}

/**
 * A Python `datetime`, with the microseconds and the offset that a `Date` cannot hold.
 *
 * As a `Date` it is the moment to the millisecond; a naive one is read as UTC. It is written back as it came
 * unless it was set to another time.
 */
export class WireDate extends Date {
  readonly #text: string
  readonly #cameAs: number

  constructor(epochMs: number, text: string) {
    super(epochMs)
    this.#text = text
    this.#cameAs = epochMs
  }

  /** The text as it came; `undefined` once the date was changed. */
  get wireText(): string | undefined {
    return this.getTime() === this.#cameAs ? this.#text : undefined
  }
}

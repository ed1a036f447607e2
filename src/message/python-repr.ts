import { types } from 'node:util'
import { numberText } from './serializer/number-text.js'
import { Decimal, PlainDate, PlainTime, Uuid } from './serializer/typed-values.js'

const MAX_LEVELS = 3
const MAX_CHARACTERS = 1024

/**
 * Positional arguments as Python prints a tuple, `(5, 'x')`, cut at 1,024 characters and 3 levels.
 *
 * @source Celery 5.6, `celery/utils/saferepr.py`.
 */
export function argsRepr(args: readonly unknown[], maxCharacters: number = MAX_CHARACTERS): string {
  const printer = new Printer(maxCharacters)
  printer.sequence(args, '(', args.length === 1 ? ',)' : ')', 0)
  return printer.text
}

/** Any value as Python prints it, cut in the same way: keyword arguments, results, error arguments. */
export function pythonRepr(value: unknown, maxCharacters: number = MAX_CHARACTERS): string {
  const printer = new Printer(maxCharacters)
  printer.value(value, 0)
  return printer.text
}

/** Prints token by token until the characters are used up; then only the open brackets are closed. */
class Printer {
  text = ''
  #left: number
  #isCut = false

  constructor(maxCharacters: number) {
    this.#left = maxCharacters
  }

  value(value: unknown, level: number): void {
    if (typeof value === 'string') this.#text(value)
    else if (typeof value === 'object' && value !== null) this.#object(value, level)
    else this.#token(this.#shortened(scalarRepr(value)))
  }

  sequence(items: readonly unknown[], open: string, close: string, level: number): void {
    this.#token(open)
    for (let index = 0; index < items.length && !this.#isCut; index += 1) {
      if (index > 0) this.#token(', ')
      this.value(items[index], level + 1)
    }
    this.#close(close)
  }

  #text(value: string): void {
    const text = this.#shortened(value)
    this.#token(text.includes("'") ? `'${text.replaceAll("'", "\\'")}'` : `'${text}'`)
  }

  /** Getters, proxies and `toJSON` are a user's code: what one of them throws is printed as unprintable. */
  #object(value: object, level: number): void {
    try {
      this.#readable(value, level)
    } catch {
      this.#token('<unprintable object>')
    }
  }

  #readable(value: object, level: number): void {
    if (Array.isArray(value)) {
      if (level >= MAX_LEVELS) this.#token('[...]')
      else this.sequence(value, '[', ']', level)
      return
    }
    // Most objects are plain: they are spared the questions that only others answer with yes.
    const special = Object.getPrototypeOf(value) === Object.prototype ? undefined : specialRepr(value)
    if (special !== undefined) this.#token(this.#shortened(special))
    else if (level >= MAX_LEVELS) this.#token('{...}')
    else if ('toJSON' in value && typeof value.toJSON === 'function') {
      // A level deeper, since it may return itself.
      this.value(Reflect.apply(value.toJSON, value, ['']), level + 1)
    } else this.#record(value, level)
  }

  #record(record: object, level: number): void {
    this.#token('{')
    let isFirst = true
    for (const key of Object.keys(record)) {
      const item: unknown = Reflect.get(record, key)
      if (item === undefined) continue
      if (!isFirst) this.#token(', ')
      isFirst = false
      this.#text(key)
      this.#token(': ')
      this.value(item, level + 1)
      if (this.#isCut) break
    }
    this.#close('}')
  }

  #token(text: string): void {
    if (this.#isCut) return
    if (this.#left <= 0) {
      this.text += ', ...'
      this.#isCut = true
      return
    }
    this.text += text
    this.#left -= text.length
  }

  /** A bracket that closes what was open before the cut is always printed. */
  #close(bracket: string): void {
    if (this.#isCut) this.text += bracket
    else this.#token(bracket)
  }

  /** Cut at the last space before the limit, as Celery's `truncate` does. */
  #shortened(text: string): string {
    if (this.#left <= 0 || text.length < this.#left) return text
    const head = text.slice(0, this.#left)
    const space = head.lastIndexOf(' ')
    return `${space < 0 ? head : head.slice(0, space)}...`
  }
}

function scalarRepr(value: unknown): string {
  switch (typeof value) {
    case 'number':
      return numberText(value) ?? String(value).toLowerCase().replace('infinity', 'inf')
    case 'boolean':
      return value ? 'True' : 'False'
    case 'bigint':
      return String(value)
    case 'function':
      return `<function ${value.name}>`
    case 'symbol':
      return `<${String(value)}>`
    default:
      return 'None'
  }
}

function specialRepr(value: object): string | undefined {
  if (types.isDate(value)) return dateRepr(value)
  if (types.isUint8Array(value)) return bytesRepr(value)
  if (value instanceof Decimal) return `Decimal('${value.toString()}')`
  if (value instanceof Uuid) return `UUID('${value.toString()}')`
  if (value instanceof PlainDate) return `datetime.date(${numbersIn(value.toString())})`
  if (value instanceof PlainTime) return `datetime.time(${numbersIn(value.toString())})`
  return undefined
}

function dateRepr(date: Date): string {
  if (Number.isNaN(date.getTime())) return '<invalid date>'
  const micros = date.getUTCMilliseconds() * 1000
  const parts = numbersIn(date.toISOString().replace(/\.\d*Z$/, ''))
  return `datetime.datetime(${parts}${micros === 0 ? '' : `, ${micros}`}, tzinfo=datetime.timezone.utc)`
}

function bytesRepr(bytes: Uint8Array): string {
  const head = Buffer.from(bytes.subarray(0, MAX_CHARACTERS))
  return head.includes(0) ? `b'${head.toString('hex')}'` : `b'${head.toString('utf8')}'`
}

function numbersIn(text: string): string {
  return Array.from(text.matchAll(/\d+/g), ([digits]) => Number(digits)).join(', ')
}

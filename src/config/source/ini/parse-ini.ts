import { ConfigError } from '../../../errors/errors.js'
import { shown } from '../../../util/shown.js'

/** One value of an ini file, before interpolation, and where it stands. */
export interface IniValue {
  readonly text: string
  readonly file: string
  readonly line: number
}

/** The keys of one section, in order. */
export type IniSection = ReadonlyMap<string, IniValue>

/** An entry that is still being read. */
interface OpenEntry {
  readonly section: Map<string, IniValue>
  readonly key: string
  readonly indent: number
  readonly line: number
  readonly lines: string[]
}

interface Parsing {
  readonly file: string
  readonly sections: Map<string, Map<string, IniValue>>
  current: Map<string, IniValue> | undefined
  open: OpenEntry | undefined
}

/**
 * Sections and keys of a file in the dialect of Python's ConfigParser as PasteDeploy uses it.
 *
 * Lines that are indented deeper than a key continue its value; `#` and `;` begin a comment at the start of a line
 * only; keys keep their case; a key or section that comes twice is an error.
 *
 * @source Python 3, `configparser.py`, `RawConfigParser._read`.
 * @throws {@link ConfigError} that names file and line.
 */
export function parseIni(text: string, file: string): ReadonlyMap<string, IniSection> {
  const parsing: Parsing = { file, sections: new Map(), current: undefined, open: undefined }
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries())
    readLine(parsing, line, index + 1)
  closeEntry(parsing)
  return parsing.sections
}

function readLine(parsing: Parsing, line: string, number: number): void {
  const trimmed = line.trim()
  if (/^[#;]/.test(trimmed)) return
  const indent = line.length - line.trimStart().length
  if (trimmed === '') {
    parsing.open?.lines.push('')
  } else if (parsing.open !== undefined && indent > parsing.open.indent) {
    parsing.open.lines.push(trimmed)
  } else {
    closeEntry(parsing)
    openLine(parsing, trimmed, indent, number)
  }
}

function openLine(parsing: Parsing, trimmed: string, indent: number, line: number): void {
  const header = /^\[([^\]]+)\]/.exec(trimmed)?.[1]
  if (header !== undefined) {
    openSection(parsing, header.trim(), line)
    return
  }
  const entry = /^(.*?)\s*[=:]\s*(.*)$/.exec(trimmed)
  const [key, value] = [entry?.[1] ?? '', entry?.[2] ?? '']
  if (key === '') {
    throw new ConfigError(
      `${parsing.file}:${line}: expected "key = value" or "[section]", got: ${shown(trimmed)}`,
    )
  }
  const section = parsing.current
  if (section === undefined) {
    throw new ConfigError(`${parsing.file}:${line}: "${key}" stands before the first [section]`)
  }
  const before = section.get(key)
  if (before !== undefined) {
    throw new ConfigError(
      `${parsing.file}:${line}: "${key}" stands on line ${before.line} of the section already`,
    )
  }
  parsing.open = { section, key, indent, line, lines: [value] }
}

function openSection(parsing: Parsing, name: string, line: number): void {
  if (parsing.sections.has(name)) {
    throw new ConfigError(`${parsing.file}:${line}: the section [${name}] is there already`)
  }
  parsing.current = new Map()
  parsing.sections.set(name, parsing.current)
}

function closeEntry(parsing: Parsing): void {
  const { open, file } = parsing
  if (open === undefined) return
  open.section.set(open.key, { text: open.lines.join('\n').trim(), file, line: open.line })
  parsing.open = undefined
}

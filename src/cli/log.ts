import { pino } from 'pino'

import type { TaskLogger } from '../task/logger.js'
import { printable, printableLines } from '../util/printable.js'
import { isRecord } from '../util/record.js'
import type { CommandIo, CommandOutput, Paint } from './io.js'
import { UsageError } from './usage-error.js'

/** How log lines look: one JSON object each, or text for people. */
export type LogFormat = 'json' | 'text'

/** What a log is told. */
export interface LogOptions {
  /** Least level that is written; Celery's `warning` and `critical` are understood. */
  readonly level: string
  readonly format: LogFormat
  readonly paint: Paint
  /** Added to every JSON line, as `node`; the text form leaves it out. */
  readonly node?: string
  /** The form of text lines in place of our own. */
  readonly patterns?: LogPatterns
}

/** Forms of text lines in Python's notation. */
export interface LogPatterns {
  /** The worker's own lines. */
  readonly worker?: string
  /** Lines that a task writes. */
  readonly task?: string
}

const LEVELS: ReadonlyMap<string, string> = new Map([
  ['debug', 'debug'],
  ['info', 'info'],
  ['warning', 'warn'],
  ['warn', 'warn'],
  ['error', 'error'],
  ['critical', 'fatal'],
  ['fatal', 'fatal'],
  ['silent', 'silent'],
])

/** Our name of a level of Celery's, in any case. */
export function logLevel(name: string): string {
  const level = levelNamed(name)
  if (level !== undefined) return level
  throw new UsageError(`--loglevel must be debug, info, warning, error, critical or silent; got "${name}"`)
}

/** The same, `undefined` for a name that is no level. */
export function levelNamed(name: string): string | undefined {
  return LEVELS.get(name.toLowerCase())
}

/** Text on a terminal, JSON lines elsewhere, unless asked for one of them. */
export function logFormat(asked: string | undefined, output: CommandOutput): LogFormat {
  if (asked === undefined) return output.isTTY === true ? 'text' : 'json'
  if (asked === 'json' || asked === 'text') return asked
  throw new UsageError(`--log-format must be json or text; got "${asked}"`)
}

/** A log that writes to standard error, line by line and at once, so that a kill loses none. */
export function openLog(io: CommandIo, options: LogOptions): TaskLogger {
  const { level, format, paint, node, patterns = {} } = options
  const destination =
    format === 'text'
      ? { write: (line: string): unknown => io.stderr.write(textLine(line, paint, patterns)) }
      : io.stderr === process.stderr
        ? pino.destination({ dest: 2, sync: true })
        : { write: (line: string): unknown => io.stderr.write(line) }
  const base = node === undefined ? null : { node }
  return pino(
    {
      level,
      base,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  )
}

const INDENT = '    '

const LEVEL_LOOKS: ReadonlyMap<string, 'dim' | 'green' | 'yellow' | 'red'> = new Map([
  ['debug', 'dim'],
  ['info', 'green'],
  ['warn', 'yellow'],
  ['error', 'red'],
  ['fatal', 'red'],
])

/**
 * A pino line as `[2030-01-31 12:00:00.123] INFO  message`, with the stack of an error below it.
 *
 * Foreign text in it is escaped. What a task writes may have several lines: those after the first are indented, as a stack
 * is, so that none passes for a line of the log.
 */
export function textLine(line: string, paint: Paint, patterns: LogPatterns = {}): string {
  const entry = parsed(line)
  if (entry === undefined) return line
  const level = asText(entry['level'])
  const stack = indented(asText(entry['traceback']) || stackOf(entry['err']))
  const writer = writerOf(entry)
  const pattern = writer === undefined ? patterns.worker : patterns.task
  const message = writer === undefined ? printable(asText(entry['msg'])) : printedByTask(asText(entry['msg']))
  if (pattern !== undefined) {
    const time = new Date(asText(entry['time']))
    return `${patternLine(pattern, { level, time, message, task: writer?.task, id: writer?.id })}${stack}\n`
  }
  const label = paint(LEVEL_LOOKS.get(level) ?? 'dim', level.toUpperCase().padEnd(5))
  const time = paint('dim', `[${localTime(asText(entry['time']))}]`)
  const prefix = writer === undefined ? '' : `${writer.task}[${writer.id}]: `
  return `${time} ${label} ${prefix}${message}${stack}\n`
}

interface Writer {
  readonly task: string
  readonly id: string
}

/** The task that wrote a line itself; the worker's own lines about a task name it in their words. */
function writerOf(entry: Readonly<Record<string, unknown>>): Writer | undefined {
  const { task, id } = entry
  if (typeof task !== 'string' || typeof id !== 'string') return undefined
  const isAbout = asText(entry['msg']).includes(`${task}[${id}]`)
  return isAbout ? undefined : { task: printable(task), id: printable(id) }
}

function printedByTask(text: string): string {
  return printableLines(text).replaceAll('\n', `\n${INDENT}`)
}

/** Our own errors say in their message what a user can do; the stack would say where we are. */
function stackOf(error: unknown): string {
  if (!isRecord(error) || asText(error['code']).startsWith('LOVAGE_')) return ''
  return asText(error['stack'])
}

function indented(text: string): string {
  return text === '' ? '' : `\n${printableLines(text.trimEnd()).replace(/^/gm, INDENT)}`
}

function localTime(iso: string): string {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return iso
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000)
  return local.toISOString().replace('T', ' ').replace('Z', '')
}

function parsed(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const entry: unknown = JSON.parse(line)
    return isRecord(entry) ? entry : undefined
  } catch {
    return undefined
  }
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value)
}

/** What a log line is made from. */
interface LogEntry {
  /** Our name of the level: `warn`. */
  readonly level: string
  readonly time: Date
  readonly message: string
  /** The task that wrote the line, if one did. */
  readonly task: string | undefined
  readonly id: string | undefined
}

/** Python's names of the levels. */
const LEVEL_NAMES: ReadonlyMap<string, string> = new Map([
  ['warn', 'WARNING'],
  ['fatal', 'CRITICAL'],
])

/**
 * A log line in the form of a pattern in Python's notation: `[%(asctime)s: %(levelname)-8s] %(message)s`.
 *
 * Known are asctime, levelname, processName, process, message, task_name and task_id; another name stays as it is
 * written, so that the mistake is seen.
 *
 * @source Python 3, `logging`, LogRecord attributes; Celery 5.7, `celery/app/log.py`.
 */
export function patternLine(pattern: string, entry: LogEntry): string {
  const fields: Readonly<Record<string, string>> = {
    asctime: pythonTime(entry.time),
    levelname: LEVEL_NAMES.get(entry.level) ?? entry.level.toUpperCase(),
    processName: 'MainProcess',
    process: String(process.pid),
    message: entry.message,
    task_name: entry.task ?? '???',
    task_id: entry.id ?? '???',
  }
  const field = /%\((\w+)\)(-?)(\d*)[sd]|%%/g
  return pattern.replaceAll(field, (written: string, name?: string, minus?: string, width?: string) => {
    if (name === undefined) return '%'
    const value = fields[name]
    if (value === undefined) return written
    return minus === '-' ? value.padEnd(Number(width)) : value.padStart(Number(width))
  })
}

/** `2030-01-31 12:00:00,123` in local time. */
function pythonTime(time: Date): string {
  const local = new Date(time.getTime() - time.getTimezoneOffset() * 60_000)
  return local.toISOString().replace('T', ' ').replace('.', ',').replace('Z', '')
}

/** What a log line is made from. */
export interface LogEntry {
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

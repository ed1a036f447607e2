import { ConfigError } from '../../../errors/errors.js'
import type { BeatEntrySetting } from '../../value/beat-settings.js'
import { isPlainObject, shown } from '../../../util/shown.js'
import { jsonFromText } from '../../value/text.js'
import type { EffectiveSection, IniEntry } from './ini-file.js'

const CRONTAB_FIELDS: ReadonlyMap<string, string> = new Map([
  ['minute', 'minute'],
  ['hour', 'hour'],
  ['day_of_week', 'dayOfWeek'],
  ['dayOfWeek', 'dayOfWeek'],
  ['day_of_month', 'dayOfMonth'],
  ['dayOfMonth', 'dayOfMonth'],
  ['month_of_year', 'monthOfYear'],
  ['monthOfYear', 'monthOfYear'],
])
const UNITS: ReadonlySet<string> = new Set(['weeks', 'days', 'hours', 'minutes', 'seconds', 'milliseconds'])

/**
 * A section `[celerybeat:name]` as an entry of the schedule, in plain data.
 *
 * A crontab becomes `{ type: 'crontab', minute, hour, dayOfWeek, dayOfMonth, monthOfYear }`, a timedelta an object of
 * units, an integer a number of seconds. Nothing is evaluated.
 *
 * @source pyramid_celery 4.0, `loaders.py`, `get_beat_config`.
 * @throws {@link ConfigError} that names file, line and key.
 */
export function beatEntryOf(section: EffectiveSection): BeatEntrySetting {
  const args = json(section, 'args')
  const kwargs = json(section, 'kwargs')
  const options = json(section, 'options')
  if (args !== undefined && !Array.isArray(args)) throw wrong(section, 'args', 'a JSON list')
  if (kwargs !== undefined && !isPlainObject(kwargs)) throw wrong(section, 'kwargs', 'a JSON object')
  if (options !== undefined && !isPlainObject(options)) throw wrong(section, 'options', 'a JSON object')
  return {
    task: required(section, 'task').text(),
    schedule: scheduleOf(section),
    ...(args !== undefined && { args: args.map((item: unknown) => item) }),
    ...(kwargs !== undefined && { kwargs }),
    ...(options !== undefined && { options }),
  }
}

function scheduleOf(section: EffectiveSection): unknown {
  const entry = required(section, 'schedule')
  const schedule = jsonFromText(entry.text(), `${label(entry)} in [${section.name}]`)
  const type = section.entries.get('type')?.text() ?? (typeof schedule === 'number' ? 'integer' : undefined)
  switch (type) {
    case 'crontab':
      return crontabOf(schedule, section)
    case 'timedelta':
      return timedeltaOf(schedule, section)
    case 'integer':
      if (typeof schedule === 'number' && schedule > 0) return schedule
      throw wrong(section, 'schedule', 'a positive number of seconds')
    default:
      throw wrong(section, 'type', 'crontab, timedelta or integer')
  }
}

function crontabOf(schedule: unknown, section: EffectiveSection): unknown {
  if (!isPlainObject(schedule)) throw wrong(section, 'schedule', 'a JSON object such as {"minute": 0}')
  const fields: Record<string, number | string> = {}
  for (const [key, value] of Object.entries(schedule)) {
    const field = CRONTAB_FIELDS.get(key)
    if (field === undefined)
      throw wrong(section, 'schedule', `made of ${[...CRONTAB_FIELDS.keys()].join(', ')}`)
    fields[field] = crontabField(value, section)
  }
  return { type: 'crontab', ...fields }
}

function crontabField(value: unknown, section: EffectiveSection): number | string {
  if (typeof value === 'number' || typeof value === 'string') return value
  if (Array.isArray(value) && value.every((item) => typeof item === 'number')) return value.join(',')
  throw wrong(section, 'schedule', 'made of numbers, text and lists of numbers')
}

function timedeltaOf(schedule: unknown, section: EffectiveSection): unknown {
  const expected = 'a JSON object such as {"minutes": 5}'
  if (!isPlainObject(schedule)) throw wrong(section, 'schedule', expected)
  const entries = Object.entries(schedule)
  const fits = entries.every(([unit, amount]) => UNITS.has(unit) && typeof amount === 'number')
  if (!fits || entries.length === 0) throw wrong(section, 'schedule', expected)
  return schedule
}

function json(section: EffectiveSection, key: string): unknown {
  const entry = section.entries.get(key)
  return entry === undefined ? undefined : jsonFromText(entry.text(), `${label(entry)} in [${section.name}]`)
}

function required(section: EffectiveSection, key: string): IniEntry {
  const entry = section.entries.get(key)
  if (entry !== undefined && entry.text() !== '') return entry
  throw new ConfigError(`${placeOf(section)}: the section [${section.name}] has no ${key}`)
}

function wrong(section: EffectiveSection, key: string, expected: string): ConfigError {
  const entry = section.entries.get(key)
  const found = entry === undefined ? 'nothing' : shown(entry.text())
  const name = entry === undefined ? `${key} (${placeOf(section)})` : label(entry)
  return new ConfigError(`expected ${name} in [${section.name}] to be ${expected}, got: ${found}`)
}

/** `CELERYD_CONCURRENCY (development.ini:12)`, as errors name a value of an ini file. */
export function label(entry: IniEntry): string {
  return `${entry.key} (${entry.place})`
}

function placeOf(section: EffectiveSection): string {
  return [...section.entries.values()].find((entry) => !entry.isDefault)?.place ?? `[${section.name}]`
}

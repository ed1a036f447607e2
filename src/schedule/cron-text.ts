import { ConfigError } from '../errors/errors.js'
import type { CrontabOptions } from './crontab.js'

const NICKNAMES: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
])

/** The fields of a line of cron, or of one of its nicknames. @throws `ConfigError` when there are not five. */
export function cronText(text: string): CrontabOptions {
  const line = text.trim()
  const fields = (NICKNAMES.get(line.toLowerCase()) ?? line).split(/\s+/)
  const [minute, hour, dayOfMonth, monthOfYear, dayOfWeek] = fields
  const isWhole = dayOfWeek !== undefined && fields.length === 5
  if (!isWhole || minute === undefined || hour === undefined)
    throw new ConfigError(
      `expected five fields of cron (minute, hour, day of month, month, day of week) or one of ${[...NICKNAMES.keys()].join(', ')}, got: "${text}"`,
    )
  return {
    minute,
    hour,
    dayOfWeek,
    ...(dayOfMonth === undefined ? {} : { dayOfMonth }),
    ...(monthOfYear === undefined ? {} : { monthOfYear }),
  }
}

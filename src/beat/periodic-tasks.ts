import type { BeatSchedule } from '../config/value/beat-settings.js'
import type { TaskLogger } from '../task/logger.js'
import { isSchedule } from '../schedule/read-schedule.js'
import { crontab } from '../schedule/schedules.js'
import { readEntry, type EntryInput, type PeriodicEntry } from './entry.js'

const RESULT_CLEANUP = 'celery.backend_cleanup'

const DAILY_CLEANUP: EntryInput = {
  task: RESULT_CLEANUP,
  schedule: crontab({ minute: 0, hour: 4 }),
  options: { expires: 12 * 3600 },
}

/** What declared periodic tasks need of their app. */
export interface PeriodicHost {
  readonly beatSchedule: () => BeatSchedule
  /** Whether somebody has to ask the result backend to delete what has expired. */
  readonly needsResultCleanup: () => boolean
  readonly logger: () => TaskLogger
}

/** Periodic tasks that the code and the settings of an app declare, by name. */
export class PeriodicTasks {
  readonly #host: PeriodicHost
  readonly #added = new Map<string, PeriodicEntry>()

  constructor(host: PeriodicHost) {
    this.#host = host
  }

  /** Declare one; a name that is taken is taken over, with a warning. @throws `ConfigError` that names the entry. */
  add(name: string, input: EntryInput): PeriodicEntry {
    const entry = readEntry(name, input)
    if (this.#added.has(name)) this.#warn(name, 'is declared twice')
    this.#added.set(name, entry)
    return entry
  }

  /**
   * All that are declared: those of the code win over `beatSchedule`, and both over the daily `celery.backend_cleanup`.
   *
   * @throws `ConfigError` that names the entry.
   * @source Celery 5.7, `celery/beat.py`, `Scheduler.install_default_entries`.
   */
  all(): ReadonlyMap<string, PeriodicEntry> {
    const entries = new Map<string, PeriodicEntry>()
    if (this.#host.needsResultCleanup()) entries.set(RESULT_CLEANUP, readEntry(RESULT_CLEANUP, DAILY_CLEANUP))
    for (const [name, setting] of Object.entries(this.#host.beatSchedule())) {
      if (this.#added.has(name)) this.#warn(name, 'is declared in the code and in beatSchedule')
      entries.set(name, readEntry(name, { ...setting, schedule: scheduleOf(setting.schedule) }))
    }
    for (const [name, entry] of this.#added) entries.set(name, entry)
    return entries
  }

  #warn(name: string, what: string): void {
    this.#host
      .logger()
      .warn({ entry: name }, `the periodic task "${name}" ${what}; the last one counts. Give each a name.`)
  }
}

/** What it may be is checked by {@link readEntry}. */
function scheduleOf(value: unknown): EntryInput['schedule'] {
  return isWritten(value) ? value : String(value)
}

function isWritten(value: unknown): value is EntryInput['schedule'] {
  return typeof value === 'number' || isSchedule(value) || (typeof value === 'object' && value !== null)
}

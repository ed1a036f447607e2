import type { StoredEntry } from '../broker/contract.js'
import { ConfigError } from '../errors/errors.js'
import type { AsyncResult } from '../result/async-result.js'
import type { ApplyOptions } from '../task/task.js'
import { isRecord } from '../util/record.js'
import { nextOfEntry, readEntry, type EntryInput } from './entry.js'
import { openSchedules, type OpenSchedules, type ScheduleHost } from './open-schedules.js'
import type { PeriodicTasks } from './periodic-tasks.js'
import {
  changeEntry,
  continued,
  dated,
  entryData,
  isKept,
  plain,
  readStored,
  type EntryOrigin,
  type KnownEntry,
} from './stored-entries.js'

/** An entry as `app.beat.list` shows it. */
export interface ListedEntry {
  readonly name: string
  readonly task: string
  /** In words. */
  readonly schedule: string
  /** Declared by code or settings, or made at run time. */
  readonly origin: EntryOrigin
  readonly paused: boolean
  /** The latest instant that was sent. */
  readonly last: Date | undefined
  /** The next instant; `undefined` when it is paused, over, or not to be told by this program. */
  readonly next: Date | undefined
}

/** What the control needs of its app. */
export interface BeatControlHost extends ScheduleHost {
  readonly periodic: PeriodicTasks
  sendTask(name: string, options: ApplyOptions & { readonly args: readonly unknown[] }): Promise<AsyncResult>
}

/** Periodic tasks at run time: what is changed here holds from the next look of a running beat, within 2 seconds. */
export class BeatControl {
  readonly #host: BeatControlHost

  constructor(host: BeatControlHost) {
    this.#host = host
  }

  /**
   * Add an entry, or replace one that was added so. A paused entry stays paused.
   *
   * @throws `ConfigError` for what is no entry, a schedule that no store can keep, or the name of a declared entry.
   */
  async upsert(name: string, input: EntryInput): Promise<void> {
    const entry = readEntry(name, input)
    if (!isKept(entryData(entry, 'runtime', 0)))
      throw new ConfigError(
        `the schedule or the arguments of "${name}" hold an object of this program, which no store can keep`,
      )
    await this.#with(async (store) => {
      const { schedules } = store
      const nowMs = await store.now()
      await changeEntry(schedules, name, (known) => {
        if (known?.['origin'] === 'declared') throw declared(name)
        return continued(known, plain(entryData(entry, 'runtime', nowMs)))
      })
    })
  }

  /** Every entry that the store knows, by name. */
  async list(): Promise<readonly ListedEntry[]> {
    const declaredHere = this.#host.periodic.all()
    const { timezone } = this.#host.config()
    const nowMs = this.#host.clock.now()
    return this.#with(async ({ schedules }) =>
      [...(await schedules.loadEntries())].map(([name, stored]) => {
        const shown = inShort(name, stored)
        try {
          const known = readStored(name, dated(stored, stored.lastMs ?? nowMs), declaredHere.get(name))
          return { ...shown, schedule: known.schedule, next: nextOf(known, timezone) }
        } catch {
          // Another program's own schedule, or an edit by hand that went wrong: beat says so in its log.
          return shown
        }
      }),
    )
  }

  /** Remove an entry that was made at run time; `false` when there is none. @throws `ConfigError` for a declared one. */
  async remove(name: string): Promise<boolean> {
    return this.#with(async ({ schedules }) => {
      const known = (await schedules.loadEntry(name))?.data
      if (known === undefined) return false
      if (known['origin'] === 'declared') throw declared(name)
      await schedules.removeEntry(name)
      return true
    })
  }

  /** Send nothing of an entry until it is resumed; `false` when there is none. */
  async pause(name: string): Promise<boolean> {
    return this.#setPaused(name, true)
  }

  /** Send an entry again, from now on: what was due meanwhile is not caught up. */
  async resume(name: string): Promise<boolean> {
    return this.#setPaused(name, false)
  }

  /** Send an entry now, beside its schedule. @throws `ConfigError` when there is none. */
  async runNow(name: string): Promise<AsyncResult> {
    const here = this.#host.periodic.all().get(name)
    const entry = here ?? (await this.#load(name))
    const { task, args, kwargs, options } = entry
    const headers = { ...options.headers, periodic_task_name: name }
    return this.#host.sendTask(task, { ...options, args, kwargs, headers })
  }

  async #load(name: string): Promise<ReturnType<typeof readEntry>> {
    const stored = await this.#with(async ({ schedules }) => schedules.loadEntry(name))
    if (stored === undefined) throw new ConfigError(`there is no periodic task "${name}"`)
    return readStored(name, stored).entry
  }

  async #setPaused(name: string, paused: boolean): Promise<boolean> {
    return this.#with(async (store) => {
      const { schedules } = store
      const nowMs = await store.now()
      return changeEntry(schedules, name, (known) => {
        if (known === undefined) return undefined
        return paused ? { ...known, paused } : { ...known, paused, sinceMs: nowMs }
      })
    })
  }

  async #with<Result>(work: (store: OpenSchedules) => Promise<Result>): Promise<Result> {
    const store = await openSchedules(this.#host)
    try {
      return await work(store)
    } finally {
      await store.close()
    }
  }
}

/** What can be told of an entry without understanding its schedule. */
function inShort(name: string, { data, lastMs }: StoredEntry): ListedEntry {
  const { task, schedule, origin, paused } = data
  const text = isRecord(schedule) ? schedule['text'] : undefined
  return {
    name,
    task: typeof task === 'string' ? task : '',
    schedule: typeof text === 'string' ? text : 'unreadable',
    origin: origin === 'declared' ? 'declared' : 'runtime',
    paused: paused === true,
    last: lastMs === undefined ? undefined : new Date(lastMs),
    next: undefined,
  }
}

function nextOf({ entry, paused, lastMs, sinceMs }: KnownEntry, timezone: string): Date | undefined {
  if (paused || !entry.enabled) return undefined
  const nextMs = nextOfEntry(entry, Math.max(lastMs ?? sinceMs, sinceMs), timezone)
  return nextMs === undefined ? undefined : new Date(nextMs)
}

function declared(name: string): ConfigError {
  return new ConfigError(`the code declares the periodic task "${name}"; change it there, or pause it`)
}

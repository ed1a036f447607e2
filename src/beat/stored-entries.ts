import type { ScheduleStore, StoredEntry } from '../broker/contract.js'
import { isList } from '../util/shown.js'
import { ConfigError, EncodeError } from '../errors/errors.js'
import { readJson } from '../message/serializer/json-reader.js'
import { writeJson } from '../message/serializer/json-writer.js'
import { pythonRepr } from '../message/python-repr.js'
import { isRecord } from '../util/record.js'
import { readEntry, type EntryInput, type PeriodicEntry } from './entry.js'

/** Who made an entry: the code and settings of the app, or somebody at run time. */
export type EntryOrigin = 'declared' | 'runtime'

/** An entry and what its store knows of it. */
export interface KnownEntry {
  readonly entry: PeriodicEntry
  readonly origin: EntryOrigin
  /** When it was made or last given another schedule, in epoch milliseconds: nothing before counts as missed. */
  readonly sinceMs: number
  /** The latest instant that was sent, in epoch milliseconds. */
  readonly lastMs: number | undefined
  readonly paused: boolean
  /** The schedule in words. */
  readonly schedule: string
}

type Data = Readonly<Record<string, unknown>>

/** What is kept of an entry, in plain data. */
export function entryData(entry: PeriodicEntry, origin: EntryOrigin, sinceMs: number, paused = false): Data {
  const { task, schedule, args, kwargs, options, timezone, catchUp, enabled } = entry
  return {
    origin,
    sinceMs,
    paused,
    task,
    schedule: schedule.toJSON?.() ?? { type: 'custom', text: textOf(schedule) },
    args: keptValue(args),
    kwargs: keptValue(kwargs),
    options: keptValue(options),
    catchUp: { policy: catchUp.policy, window: catchUp.windowMs / 1000 },
    enabled,
    ...(timezone === undefined ? {} : { timezone }),
  }
}

/**
 * Read an entry, change it and save it, again and again until no one else saved it in between.
 *
 * @param change - Makes the new data from what is stored, or `undefined` to leave it; called again when another one saved first.
 * @returns Whether it was saved.
 */
export async function changeEntry(
  store: ScheduleStore,
  name: string,
  change: (known: Data | undefined) => Data | undefined,
): Promise<boolean> {
  for (;;) {
    const stored = await store.loadEntry(name)
    const changed = change(stored?.data)
    if (changed === undefined) return false
    if (await store.saveEntry(name, changed, stored?.version)) return true
  }
}

/** What a store keeps of a value: the text that a message would hold, so that dates and large integers come back as such. */
function keptValue(value: unknown): string | Data {
  try {
    return writeJson(value)
  } catch (error) {
    if (error instanceof EncodeError) return { type: 'custom', text: pythonRepr(value) }
    throw error
  }
}

/** Whether all of an entry can be read by programs that do not declare it. */
export function isKept(data: Data): boolean {
  return !['schedule', 'args', 'kwargs', 'options'].some((key) => isCustom(data[key]))
}

function isCustom(value: unknown): boolean {
  return isRecord(value) && value['type'] === 'custom'
}

/** What somebody wrote by hand is no text but the value itself. */
function readKept(name: string, value: unknown): unknown {
  if (isCustom(value))
    throw new ConfigError(
      `arguments of the periodic task "${name}" are known only to the program that declares it`,
    )
  return typeof value === 'string' ? readJson(value) : value
}

function listOf(value: unknown): readonly unknown[] {
  return isList(value) ? value : []
}

function recordOf(value: unknown): Data {
  return isRecord(value) ? value : {}
}

/** Whether two entries say the same, whoever made them and whenever. */
export function saysTheSame(one: Data, other: Data): boolean {
  return definitionOf(one) === definitionOf(other)
}

/** An entry that replaces another: paused if that one is, and begun with it as long as the instants are the same. */
export function continued(known: Data | undefined, fresh: Data): Data {
  if (known === undefined) return fresh
  const paused = known['paused'] === true
  return hasSameInstants(known, fresh)
    ? { ...fresh, paused, sinceMs: known['sinceMs'] }
    : { ...fresh, paused }
}

/** Whether two entries have the same instants. */
function hasSameInstants(one: Data, other: Data): boolean {
  return (
    JSON.stringify([one['schedule'], one['timezone']]) ===
    JSON.stringify([other['schedule'], other['timezone']])
  )
}

function definitionOf({ sinceMs: _since, paused: _paused, ...definition }: Data): string {
  return JSON.stringify(definition)
}

/**
 * An entry as its store has it, {@link dated}.
 *
 * @param declared - The same entry in this program, which may hold what no store can: a schedule of its own class.
 * @throws {@link ConfigError} when it cannot be read, or only the program that declared it knows its schedule.
 */
export function readStored(
  name: string,
  { data, lastMs }: StoredEntry,
  declared?: PeriodicEntry,
): KnownEntry {
  const origin = data['origin'] === 'declared' ? 'declared' : 'runtime'
  const isOwn =
    declared !== undefined &&
    origin === 'declared' &&
    saysTheSame(data, plain(entryData(declared, 'declared', 0)))
  const entry = isOwn ? declared : readEntry(name, inputOf(name, data))
  return {
    entry,
    origin,
    sinceMs: Number(data['sinceMs']),
    lastMs,
    paused: data['paused'] === true,
    schedule: textOf(entry.schedule),
  }
}

/** An entry that somebody wrote into the store by hand, without a beginning, with this one; others as they are. */
export function dated(stored: StoredEntry, sinceMs: number): StoredEntry {
  // What is no entry is left to whoever wrote it.
  if (typeof stored.data['sinceMs'] === 'number' || !('task' in stored.data)) return stored
  return { ...stored, data: { ...stored.data, sinceMs } }
}

/** As it comes back from a store. */
export function plain(data: Data): Data {
  const read: unknown = JSON.parse(JSON.stringify(data))
  return isRecord(read) ? read : {}
}

function inputOf(name: string, data: Data): EntryInput {
  const { task, schedule, args, kwargs, options, timezone, catchUp, enabled } = data
  if (!isRecord(schedule) || schedule['type'] === 'custom')
    throw new ConfigError(
      `the schedule of the periodic task "${name}" is known to the program alone that declares it`,
    )
  return {
    task: String(task),
    schedule: { ...schedule, type: String(schedule['type']) },
    args: listOf(readKept(name, args)),
    kwargs: recordOf(readKept(name, kwargs)),
    options: readDates(recordOf(readKept(name, options))),
    catchUp,
    enabled: enabled !== false,
    ...(typeof timezone === 'string' ? { timezone } : {}),
  }
}

/** Options that may be a date come back as text. */
function readDates(options: Data): Data {
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) =>
      (key === 'eta' || key === 'expires') && typeof value === 'string'
        ? [key, new Date(value)]
        : [key, value],
    ),
  )
}

function textOf(schedule: { toString(): string }): string {
  const text = schedule.toString()
  return text.startsWith('[object') ? schedule.constructor.name : text
}

import type { Broker, ScheduleStore } from '../broker/contract.js'
import { guardBroker } from '../broker/guard.js'
import type { BrokerRegistry } from '../broker/registry.js'
import { chooseBackend } from '../config/backend-choice.js'
import type { Config } from '../config/config.js'
import { ConfigError, StoreDamagedError } from '../errors/errors.js'
import type { Clock } from '../util/clock.js'
import { existsSync, renameSync } from 'node:fs'
import { toError } from '../util/to-error.js'

/** What is needed of an app to find its schedules. */
export interface ScheduleHost {
  readonly brokers: BrokerRegistry
  readonly clock: Clock
  config(): Config
  openBroker(): Promise<Broker>
}

/** The store of schedules, open. */
export interface OpenSchedules {
  /** The broker that holds them. */
  readonly broker: Broker
  readonly schedules: ScheduleStore
  /** Whether an occurrence and its message are one step: the schedules are in the store that tasks are sent to. */
  readonly sendsToo: boolean
  /** Where they are, for people; a file that only one beat is safe on says so. */
  readonly place: 'broker' | 'beatStore' | 'backend' | 'file'
  /** The clock that every beat goes by, in epoch milliseconds: the store's, where it has one. */
  now(): Promise<number>
  close(): Promise<void>
}

/**
 * Open the store that keeps the schedules of an app: `beatStore`, else the broker's, else the one that results are in, else
 * a local SQLite file.
 *
 * @param mend - Called when the local file is damaged: puts it out of the way, so that a new one is made.
 * @throws `ConfigError` when `beatStore` cannot hold schedules.
 */
export async function openSchedules(
  app: ScheduleHost,
  mend?: (damage: StoreDamagedError) => void,
): Promise<OpenSchedules> {
  const config = app.config()
  const { beatStore, beatScheduleFilename } = config
  if (beatStore !== undefined) {
    const opened = await openAt(app, beatStore, 'beatStore')
    if (opened !== undefined) return opened
    throw new ConfigError('beatStore names a store that cannot hold schedules')
  }
  const broker = await app.openBroker()
  if (broker.schedules !== undefined) return opened(app, broker, broker.schedules, 'broker')
  await broker.close()
  const results = chooseBackend(config)
  const atResults =
    results.kind === 'target' && typeof results.target === 'string'
      ? await openAt(app, results.target.replace(/^db\+/, ''), 'backend')
      : undefined
  if (atResults !== undefined) return atResults
  const openFile = (): Promise<OpenSchedules | undefined> =>
    openAt(app, `sqlite:///${beatScheduleFilename}.sqlite`, 'file')
  const file = await openFile().catch((error: unknown) => {
    if (mend === undefined || !(error instanceof StoreDamagedError)) throw error
    mend(error)
    return openFile()
  })
  if (file !== undefined) return file
  throw new ConfigError('no store can hold schedules; set beatStore')
}

async function openAt(
  app: ScheduleHost,
  url: string,
  place: OpenSchedules['place'],
): Promise<OpenSchedules | undefined> {
  const scheme = /^[^:]*/.exec(url)?.[0] ?? ''
  if (place === 'backend' && !app.brokers.schemes.includes(scheme.replace(/\+.*/, ''))) return undefined
  const { clock } = app
  const broker = guardBroker(await app.brokers.open(url, { clock, autoMigrate: true }), { clock })
  if (broker.schedules === undefined) return undefined
  try {
    await broker.connect(new AbortController().signal)
  } catch (error) {
    await broker.close()
    throw error
  }
  return opened(app, broker, broker.schedules, place)
}

function opened(
  { clock }: ScheduleHost,
  broker: Broker,
  schedules: ScheduleStore,
  place: OpenSchedules['place'],
): OpenSchedules {
  return {
    broker,
    schedules,
    sendsToo: place === 'broker',
    place,
    now: async () => broker.serverTime?.() ?? clock.now(),
    close: () => broker.close(),
  }
}

/** What SQLite keeps beside a file, which belongs to it. */
const BESIDE = ['-wal', '-shm']

/**
 * Give a damaged SQLite file another name, so that a new one can be made in its place and somebody can look at the old.
 *
 * @returns The new name: the old one, `.damaged-` and the time.
 * @throws {@link StoreDamagedError} when it cannot be renamed.
 */
export function keepDamagedFile({ file, message }: StoreDamagedError, clock: Clock): string {
  const stamp = new Date(clock.now()).toISOString().replaceAll(/[-:]|\.\d+/g, '')
  let aside = `${file}.damaged-${stamp}`
  for (let count = 2; existsSync(aside); count += 1) aside = `${file}.damaged-${stamp}-${String(count)}`
  try {
    // What lies beside it first: a new file must not find the log of the old one.
    for (const end of BESIDE) if (existsSync(file + end)) renameSync(file + end, aside + end)
    renameSync(file, aside)
  } catch (thrown) {
    const cause = toError(thrown)
    throw new StoreDamagedError(file, `${message}; it cannot be set aside: ${cause.message}`, { cause })
  }
  return aside
}

import { OPTIONS } from '../config/option-table.js'
import type { Settings } from '../config/settings.js'

/** What to do in place of some settings that nothing acts on. */
const ADVICE: ReadonlyMap<string, string> = new Map([
  ['databaseEngineOptions', 'the size of the pool is the option poolSize of the URL'],
  ['databaseEngineCallback', 'hand over a Knex instance of your own as the backend'],
  ['databaseShortLivedSessions', 'a connection is held for one transaction at a time'],
  ['workerLogfile', 'logs go to standard error; redirect it'],
  ['workerLogDatefmt', 'times are written as Python writes them by default'],
  ['workerTaskLogDatefmt', 'times are written as Python writes them by default'],
  ['workerHijackRootLogger', 'there is no root logger; a program hands its own to the app or worker'],
  ['workerPidfile', 'let the service manager keep track of the process'],
  ['workerUid', 'let the service manager choose the user'],
  ['workerGid', 'let the service manager choose the group'],
  ['workerUmask', 'let the service manager set it'],
  ['beatScheduler', 'schedules are kept in the store; beatStore names another one'],
  ['beatSyncEvery', 'each occurrence is recorded as it is sent'],
  ['beatLogfile', 'logs go to standard error; redirect it'],
  ['beatPidfile', 'let the service manager keep track of the process'],
])

/**
 * One sentence about the settings that somebody set and that nothing acts on in this version; `undefined` where there
 * are none.
 */
export function idleSettingsNote(settings: Settings): string | undefined {
  const idle = [...OPTIONS].filter(([name, option]) => option.acts === false && settings.has(name))
  if (idle.length === 0) return undefined
  const names = idle.map(([name]) => {
    const advice = ADVICE.get(name)
    return advice === undefined ? name : `${name} (${advice})`
  })
  return `Warning: nothing acts on these settings in this version: ${names.join(', ')}`
}

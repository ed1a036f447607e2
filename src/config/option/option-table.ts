import { appOptions } from './app.js'
import { beatOptions } from './beat.js'
import { brokerOptions } from './broker.js'
import { databaseOptions, resultOptions, storesOptions } from './result.js'
import { INACTIVE_OPTIONS } from './inactive.js'
import { lovageOptions } from './lovage.js'
import type { Option, OptionTable } from './option.js'
import { redisOptions } from './redis.js'
import { taskOptions } from './task.js'
import { workerOptions } from './worker.js'

/** A part of the option table, as the reference groups it. */
export interface OptionArea {
  readonly name: string
  readonly title: string
  readonly options: OptionTable
}

/** Every option, grouped, in the order of the reference. */
export const OPTION_AREAS: readonly OptionArea[] = [
  { name: 'app', title: 'Application', options: appOptions },
  { name: 'broker', title: 'Broker', options: brokerOptions },
  { name: 'lovage', title: 'Delivery (options that Celery does not have)', options: lovageOptions },
  { name: 'result', title: 'Results', options: resultOptions },
  { name: 'task', title: 'Tasks', options: taskOptions },
  { name: 'worker', title: 'Worker', options: workerOptions },
  { name: 'beat', title: 'Beat', options: beatOptions },
  { name: 'database', title: 'Results in a SQL database', options: databaseOptions },
  { name: 'redis', title: 'Results in Redis', options: redisOptions },
  { name: 'stores', title: 'Results in other stores', options: storesOptions },
]

/** Every option that acts, by camelCase name, in the order of the reference. */
export const OPTIONS: ReadonlyMap<string, Option> = new Map(
  OPTION_AREAS.flatMap((area) => Object.entries(area.options)),
)

/** Every option that a source may set: {@link OPTIONS}, and those of Celery that are accepted and ignored. */
export const ACCEPTED_OPTIONS: ReadonlyMap<string, Option> = new Map([
  ...OPTIONS,
  ...[...INACTIVE_OPTIONS].map(([name, { old, reason }]) => [name, inactive(reason, old)] as const),
])

function inactive(reason: string, old: readonly string[]): Option {
  const types = { input: 'unknown', output: 'unknown' }
  return {
    kind: 'value',
    default: undefined,
    types,
    read: (value) => value,
    fromText: (text) => text,
    form: 'anything',
    old,
    secret: true,
    doc: `Ignored: ${reason}.`,
  }
}

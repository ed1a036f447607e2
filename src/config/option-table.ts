import { appOptions } from './option/app.js'
import { beatOptions } from './option/beat.js'
import { brokerOptions } from './option/broker.js'
import { databaseOptions } from './option/database.js'
import { eventOptions } from './option/event.js'
import { lovageOptions } from './option/lovage.js'
import type { Option, OptionTable } from './option/option.js'
import { redisOptions } from './option/redis.js'
import { resultOptions } from './option/result.js'
import { securityOptions } from './option/security.js'
import { storesOptions } from './option/stores.js'
import { taskOptions } from './option/task.js'
import { workerOptions } from './option/worker.js'

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
  { name: 'event', title: 'Events and remote control', options: eventOptions },
  { name: 'database', title: 'Results in a SQL database', options: databaseOptions },
  { name: 'redis', title: 'Results in Redis', options: redisOptions },
  { name: 'security', title: 'Signed messages', options: securityOptions },
  { name: 'stores', title: 'Result backends of Celery alone', options: storesOptions },
]

/** Every option by camelCase name, in the order of the reference. */
export const OPTIONS: ReadonlyMap<string, Option> = new Map(
  OPTION_AREAS.flatMap((area) => Object.entries(area.options)),
)

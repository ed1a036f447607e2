import { numberOrText } from '../value/text.js'
import { readConcurrency, readPool } from '../value/worker-settings.js'
import type { OptionTable } from './option.js'

/** The worker: what it claims, how it runs tasks, how it ends. */
export const workerOptions: OptionTable = {
  workerConcurrency: {
    kind: 'value',
    default: undefined,
    types: { input: "number | 'auto'", output: 'number' },
    read: readConcurrency,
    fromText: numberOrText,
    form: 'positive integer or `auto`',
    old: ['CELERYD_CONCURRENCY'],
    derive: (valueOf) => (valueOf('workerPool') === 'solo' ? 1 : 10),
    defaultText: '10, and 1 for the pool solo',
    doc: 'Tasks that run at the same time; `auto` for the default.',
  },
  workerPool: {
    kind: 'value',
    default: 'async',
    types: { input: 'PoolInput', output: 'PoolName', module: 'worker-settings' },
    read: readPool,
    fromText: (text: string): unknown => text,
    form: '`async`, `threads`, `processes`, `prefork` or `solo`',
    old: ['CELERYD_POOL'],
    doc: "How tasks run: `async` (on the event loop) or `solo` (one at a time). There are no `threads` and `processes` (`prefork`) yet: a worker that is asked for them runs on `async` and warns. Celery's default is `prefork`.",
  },
  workerPrefetchMultiplier: {
    kind: 'integer',
    default: Infinity,
    min: 0,
    infinite: true,
    zeroIsInfinite: true,
    old: ['CELERYD_PREFETCH_MULTIPLIER'],
    whenNone: Infinity,
    doc: "Caps what is claimed ahead of free slots, as a multiple of the concurrency; 1 turns reading ahead off, 0 sets no cap beside `readAhead`. Celery's default is 4.",
  },
  workerDisablePrefetch: {
    kind: 'boolean',
    default: false,
    old: ['CELERYD_DISABLE_PREFETCH'],
    doc: 'Claim a message only for a free slot, whatever `workerPrefetchMultiplier` says.',
  },
  workerSoftShutdownTimeout: {
    kind: 'duration',
    default: 0,
    old: ['CELERYD_SOFT_SHUTDOWN_TIMEOUT'],
    doc: 'How long running tasks may go on after the second signal, before they are given back.',
  },
  workerEnableSoftShutdownOnIdle: {
    kind: 'boolean',
    default: false,
    old: ['CELERYD_ENABLE_SOFT_SHUTDOWN_ON_IDLE'],
    doc: 'Whether a worker that is stopped cold waits that long although no task runs.',
  },
  workerCancelLongRunningTasksOnConnectionLoss: {
    kind: 'boolean',
    default: false,
    old: ['CELERYD_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS'],
    doc: 'Whether late-acknowledged tasks are cancelled through their signal when the broker is lost, and run again.',
  },
  workerRedirectStdouts: {
    kind: 'boolean',
    default: true,
    old: ['CELERY_REDIRECT_STDOUTS'],
    doc: 'Whether `lovage worker` sends what tasks print with `console` to its log.',
  },
  workerRedirectStdoutsLevel: {
    kind: 'string',
    default: 'WARNING',
    old: ['CELERY_REDIRECT_STDOUTS_LEVEL'],
    doc: 'The level it has there: `DEBUG`, `INFO`, `WARNING` or `ERROR`.',
  },
  workerLogColor: {
    kind: 'boolean',
    default: undefined,
    old: ['CELERYD_LOG_COLOR'],
    defaultText: 'on a terminal',
    doc: 'Whether the log of `lovage worker` is coloured.',
  },
  workerLogFormat: {
    kind: 'string',
    default: '[%(asctime)s: %(levelname)s/%(processName)s] %(message)s',
    old: ['CELERYD_LOG_FORMAT'],
    doc: "Form of the lines of `lovage worker`, in Python's notation; when set, the log is text unless `--log-format` says otherwise.",
  },
  workerTaskLogFormat: {
    kind: 'string',
    default: '[%(asctime)s: %(levelname)s/%(processName)s] %(task_name)s[%(task_id)s]: %(message)s',
    old: ['CELERYD_TASK_LOG_FORMAT'],
    doc: 'The same for what tasks write themselves.',
  },
}

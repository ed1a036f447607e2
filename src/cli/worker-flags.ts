import { Option, type Command } from 'commander'

import type { WorkerOptions } from '../worker/worker-options.js'
import { UsageError } from './usage-error.js'
import { collectList, parseSeconds, parseWhole } from './values.js'

/** Options of `lovage worker` as typed. */
export interface WorkerFlags {
  readonly concurrency?: string
  readonly queues?: readonly string[]
  readonly excludeQueues?: readonly string[]
  readonly hostname?: string
  readonly loglevel: string
  readonly logFormat?: string
  readonly include?: readonly string[]
  readonly pool?: string
  readonly purge?: boolean
  readonly discard?: boolean
  readonly prefetchMultiplier?: string
  readonly disablePrefetch?: boolean
  readonly shutdownTimeout?: string
  readonly softShutdownTimeout?: string
  readonly watch?: boolean
  readonly watched?: boolean
  readonly beat?: boolean
  readonly schedule?: string
  readonly timeLimit?: string
  readonly softTimeLimit?: string
  readonly maxTasksPerChild?: string
  readonly maxMemoryPerChild?: string
}

/** Options of Celery's worker that later versions bring. */
const LATER: readonly (readonly [flags: string, why: string])[] = [
  ['--scheduler <name>', 'schedules are kept in the store; beatStore names another one'],
  ['--autoscale <max,min>', 'autoscaling comes with a later version; set --concurrency'],
  ['-D, --detach', 'let the service manager of the system run the worker'],
  ['--pidfile <file>', 'let the service manager of the system keep track of the process'],
  ['-f, --logfile <file>', 'logs go to standard error; redirect it'],
  ['-S, --statedb <file>', 'revoking tasks comes with a later version'],
]

/** Options of Celery's worker that change nothing here, kept so that its command lines work. */
const WITHOUT_EFFECT = [
  '-E, --task-events',
  '-O, --optimization <name>',
  '--without-gossip',
  '--without-mingle',
  '--without-heartbeat',
  '--heartbeat-interval <seconds>',
  '--skip-checks',
]

/** Declare the options of `lovage worker`. */
export function addWorkerOptions(command: Command): Command {
  command
    .option('-c, --concurrency <count>', 'tasks at once (async pool: 10)')
    .option('-Q, --queues <names>', 'consume these queues', collectList)
    .option('-X, --exclude-queues <names>', 'consume all but these queues', collectList)
    .option('-n, --hostname <name>', 'node name (celery@%h); %h host, %n its first part, %d the rest')
    .option('-l, --loglevel <level>', 'debug, info, warning, error, critical, silent', 'info')
    .option('--log-format <format>', 'json or text; text on a terminal, else json')
    .option('-I, --include <modules>', 'more modules with tasks', collectList)
    .option(
      '-P, --pool <name>',
      'async (event loop) or solo (one task at a time); prefork and threads run on async',
    )
    .option('--purge', 'drop every waiting message of the queues first; there is no undo')
    .addOption(new Option('--discard', 'the same as --purge').hideHelp())
    .option(
      '--prefetch-multiplier <count>',
      'claim at most this times the concurrency; 1 claims into free slots',
    )
    .option('--disable-prefetch', 'claim into free slots alone')
    .option('--shutdown-timeout <seconds>', 'running tasks may go on this long after the first signal')
    .option('--soft-shutdown-timeout <seconds>', 'and this long after the second one (0)')
    .option('--watch', 'start anew when a source file changes, once the running tasks have ended')
    .addOption(new Option('--watched').hideHelp())
    .option('-B, --beat', 'send periodic tasks too')
    .option('-s, --schedule <file>', 'local file of --beat, where no store can hold schedules')
    .option('--time-limit <seconds>', 'hard limit of every task')
    .option('--soft-time-limit <seconds>', 'limit that a task can catch')
    .addOption(new Option('--max-tasks-per-child <count>', 'replace a pool child after this many').hideHelp())
    .addOption(new Option('--max-memory-per-child <KiB>', 'replace a pool child that grew larger').hideHelp())
    .addHelpText('after', AFTER_HELP)
  for (const [flags, why] of LATER) refuseLater(command, flags, why)
  for (const flags of WITHOUT_EFFECT) command.addOption(new Option(flags).hideHelp())
  return command
}

const AFTER_HELP = `
Every setting can be given as an option: --task-acks-late=no, --worker-lost-wait 5.
The first SIGTERM or Ctrl-C lets running tasks end and gives the rest back; the second stops at once (exit code 3).`

/** Declare an option that is refused while the command line is read, so that nothing starts with less than was asked for. */
export function refuseLater(command: Command, flags: string, why: string): void {
  const option = new Option(flags).hideHelp()
  command.addOption(option)
  command.on(`option:${option.name()}`, () => {
    throw new UsageError(`${option.long ?? flags} is not there yet: ${why}`)
  })
}

/** The options of Celery's worker on this command line that change nothing, as typed in full. */
export function optionsWithoutEffect(command: Command): readonly string[] {
  return WITHOUT_EFFECT.map((flags) => new Option(flags))
    .filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli')
    .map((option) => option.long ?? option.flags)
}

/** The options of the worker itself. */
export function workerOptions(flags: WorkerFlags): WorkerOptions {
  const { concurrency, queues, excludeQueues, hostname, pool, prefetchMultiplier, shutdownTimeout } = flags
  const multiplier = flags.disablePrefetch === true ? '1' : prefetchMultiplier
  return {
    ...(concurrency === undefined ? {} : { concurrency: parseWhole(concurrency, '--concurrency', 1) }),
    ...(queues === undefined ? {} : { queues }),
    ...(excludeQueues === undefined ? {} : { excludeQueues }),
    ...(hostname === undefined ? {} : { hostname }),
    ...(pool === undefined ? {} : { pool }),
    ...(multiplier === undefined
      ? {}
      : { prefetchMultiplier: parseWhole(multiplier, '--prefetch-multiplier') }),
    ...(shutdownTimeout === undefined
      ? {}
      : { shutdownTimeout: parseSeconds(shutdownTimeout, '--shutdown-timeout') }),
    purge: flags.purge === true || flags.discard === true,
  }
}

/** The options that are settings of the app. */
export function workerSettings(flags: WorkerFlags): Readonly<Record<string, unknown>> {
  const { schedule, timeLimit, softTimeLimit, softShutdownTimeout, maxTasksPerChild, maxMemoryPerChild } =
    flags
  return {
    ...(schedule === undefined ? {} : { beatScheduleFilename: schedule }),
    ...(timeLimit === undefined ? {} : { taskTimeLimit: parseSeconds(timeLimit, '--time-limit') }),
    ...(softTimeLimit === undefined
      ? {}
      : { taskSoftTimeLimit: parseSeconds(softTimeLimit, '--soft-time-limit') }),
    ...(softShutdownTimeout === undefined
      ? {}
      : { workerSoftShutdownTimeout: parseSeconds(softShutdownTimeout, '--soft-shutdown-timeout') }),
    ...(maxTasksPerChild === undefined
      ? {}
      : { workerMaxTasksPerChild: parseWhole(maxTasksPerChild, '--max-tasks-per-child', 1) }),
    ...(maxMemoryPerChild === undefined
      ? {}
      : { workerMaxMemoryPerChild: parseWhole(maxMemoryPerChild, '--max-memory-per-child', 1) }),
  }
}

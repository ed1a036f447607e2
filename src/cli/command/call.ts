import { Command } from 'commander'

import type { Lovage } from '../../app/app.js'
import type { AsyncResult } from '../../result/async-result.js'
import type { CallOptions } from '../../task/call-options.js'
import { suggest } from '../../util/suggest.js'
import { printJson } from '../print.js'
import { refuseProcessBroker } from '../refuse-process-broker.js'
import type { CommandContext } from '../command-context.js'
import { UsageError } from '../usage-error.js'
import { parseArgs, parseDate, parseKwargs, parseSeconds, parseSecondsOrDate, parseWhole } from '../values.js'
import { showResult } from './result.js'
import { COMMAND_SUMMARIES } from './summaries.js'
import { internalsOf } from '../../util/internals.js'

interface CallFlags {
  readonly args?: string
  readonly kwargs?: string
  readonly eta?: string
  readonly countdown?: string
  readonly expires?: string
  readonly serializer?: string
  readonly compression?: string
  readonly queue?: string
  readonly exchange?: string
  readonly routingKey?: string
  readonly priority?: string
  readonly taskId?: string
  readonly force?: boolean
  readonly wait?: string | true
  readonly json?: boolean
}

/** `lovage call <name>`: send a task by name and print its id. */
export function callCommand(session: CommandContext): Command {
  return new Command('call')
    .description(COMMAND_SUMMARIES.call.description)
    .argument('<name>', 'name of the task; a worker elsewhere may be the one that knows it')
    .option('-a, --args <json>', 'positional arguments, a JSON array')
    .option('-k, --kwargs <json>', 'keyword arguments, a JSON object')
    .option('--countdown <seconds>', 'run this long from now')
    .option('--eta <time>', 'run at this time (ISO 8601)')
    .option('--expires <seconds|time>', 'do not start after this')
    .option('--queue <name>', 'send to this queue')
    .option('--exchange <name>', 'send to this exchange')
    .option('--routing-key <key>', 'send with this routing key')
    .option('--priority <0-9>', 'larger first')
    .option('--serializer <name>', 'json, yaml, msgpack')
    .option('--compression <name>', 'gzip, zlib, brotli, zstd')
    .option('--task-id <id>', 'own task id')
    .option('--force', 'send it although a task of the app has nearly this name')
    .option('--wait [seconds]', 'wait for the result and print it in place of the id')
    .option('--json', 'print one JSON object')
    .action((name: string, flags: CallFlags) => call(session, name, flags))
}

async function call(session: CommandContext, name: string, flags: CallFlags): Promise<void> {
  const request = { args: parseArgs(flags.args), kwargs: parseKwargs(flags.kwargs), ...callOptions(flags) }
  const app = await session.openApp()
  refuseProcessBroker(session, app, 'call')
  await internalsOf(app).loadTaskModules()
  if (flags.force !== true) refuseMistyped(app, name)
  const result = await app.sendTask(name, request)
  if (flags.wait !== undefined) {
    session.exitCode = await waitFor(session, result, flags)
    return
  }
  if (flags.json === true) printJson(session.io.stdout, { id: result.id, task: name })
  else session.print(result.id)
}

function waitFor(
  session: CommandContext,
  result: AsyncResult,
  flags: CallFlags,
): ReturnType<typeof showResult> {
  return showResult(session, result, {
    ...(flags.json === undefined ? {} : { json: flags.json }),
    ...(typeof flags.wait === 'string' ? { timeout: flags.wait } : {}),
  })
}

/** A name that no task of the app has may be one of another service; one that is nearly a task's is a typing error. */
function refuseMistyped(app: Lovage, name: string): void {
  if (app.tasks.has(name)) return
  const near = suggest(name, app.tasks.keys()) ?? byLastPart(app, name)
  if (near === undefined) return
  throw new UsageError(`no task is named "${name}"; did you mean ${near}? (--force sends it as it is)`)
}

/** `add` for `tasks.add`. */
function byLastPart(app: Lovage, name: string): string | undefined {
  return [...app.tasks.keys()].find((known) => known.endsWith(`.${name}`))
}

function callOptions(flags: CallFlags): CallOptions {
  const { countdown, eta, expires, priority } = flags
  if (countdown !== undefined && eta !== undefined)
    throw new UsageError('--countdown and --eta exclude each other')
  return {
    ...textOptions(flags),
    ...(countdown === undefined ? {} : { countdown: parseSeconds(countdown, '--countdown') }),
    ...(eta === undefined ? {} : { eta: parseDate(eta, '--eta') }),
    ...(expires === undefined ? {} : { expires: parseSecondsOrDate(expires, '--expires') }),
    ...(priority === undefined ? {} : { priority: parseWhole(priority, '--priority', 0, 9) }),
  }
}

function textOptions(flags: CallFlags): CallOptions {
  const { queue, exchange, routingKey, serializer, compression, taskId } = flags
  return {
    ...(queue === undefined ? {} : { queue }),
    ...(exchange === undefined ? {} : { exchange }),
    ...(routingKey === undefined ? {} : { routingKey }),
    ...(serializer === undefined ? {} : { serializer }),
    ...(compression === undefined ? {} : { compression }),
    ...(taskId === undefined ? {} : { taskId }),
  }
}

import { Command } from 'commander'

import type { AsyncResult } from '../../result/async-result.js'
import { LovageError, TaskFailedError } from '../../errors/errors.js'
import { printable, printableLines } from '../../util/printable.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { printJson, printValue } from '../print.js'
import type { CommandContext } from '../command-context.js'
import { parseSeconds } from '../values.js'
import { COMMAND_SUMMARIES } from './summaries.js'

interface ResultFlags {
  readonly traceback?: boolean
  readonly timeout?: string
  readonly json?: boolean
}

/** `lovage result <id>`: print a task's value, or its stack and exit code 1 when it failed. */
export function resultCommand(session: CommandContext): Command {
  return new Command('result')
    .description(COMMAND_SUMMARIES.result.description)
    .argument('<id>', 'task id, as `lovage call` prints it')
    .option(
      '--timeout <seconds>',
      'wait no longer than this; 0 looks once (exit code 75 when it is not ready)',
    )
    .option('--traceback', 'print the stack of a failure, or of the last retry, in place of the value')
    .option('-t, --task <name>', 'accepted for Celery’s sake: the id is enough')
    .option('--json', 'print one JSON object')
    .action(async (id: string, flags: ResultFlags) => {
      const app = await session.openApp()
      session.exitCode = await showResult(session, app.AsyncResult(id), flags)
    })
}

/**
 * Wait for a result and print it.
 *
 * @throws TimeoutError when `--timeout` passes first.
 */
export async function showResult(
  session: CommandContext,
  result: AsyncResult,
  flags: ResultFlags,
): Promise<ExitCode> {
  if (flags.traceback === true && flags.json !== true) return showTraceback(session, result)
  const timeout = flags.timeout === undefined ? undefined : parseSeconds(flags.timeout, '--timeout')
  const value = await result.get({ propagate: false, ...(timeout === undefined ? {} : { timeout }) })
  const succeeded = await result.successful()
  if (flags.json === true) printJson(session.io.stdout, await asJson(result, value, succeeded))
  else if (succeeded) printValue(session.io.stdout, value, session.colors)
  else await printFailure(session, result, value)
  return succeeded ? EXIT.done : EXIT.failed
}

async function showTraceback(session: CommandContext, result: AsyncResult): Promise<ExitCode> {
  const traceback = await result.traceback()
  if (traceback !== undefined) session.print(traceback.trimEnd())
  else session.note(`No traceback: the task is ${await result.state()}.`)
  return (await result.failed()) ? EXIT.failed : EXIT.done
}

async function printFailure(session: CommandContext, result: AsyncResult, error: unknown): Promise<void> {
  const { stderr } = session.io
  const state = session.paint(stderr)('red', printable(await result.state()))
  stderr.write(`${state} ${printable(shownError(error))}\n`)
  const traceback = await result.traceback()
  if (traceback !== undefined) stderr.write(`${printableLines(traceback.trimEnd())}\n`)
}

function shownError(error: unknown): string {
  if (error instanceof TaskFailedError) return withType(error.remote.type, error.message)
  if (error instanceof LovageError) return error.message
  return error instanceof Error ? withType(error.name, error.message) : String(error)
}

function withType(type: string, message: string): string {
  return message.includes(type) ? message : `${type}: ${message}`
}

async function asJson(result: AsyncResult, value: unknown, succeeded: boolean): Promise<object> {
  const task = result.taskName
  const dateDone = (await result.dateDone())?.toISOString()
  const outcome = succeeded
    ? { result: value ?? null }
    : { error: errorAsJson(value), traceback: (await result.traceback()) ?? null }
  return { id: result.id, state: await result.state(), task, dateDone, ...outcome }
}

function errorAsJson(error: unknown): object {
  if (error instanceof TaskFailedError) {
    const { type, module, args } = error.remote
    return { type, module, args, message: error.message }
  }
  if (error instanceof Error) return { type: error.name, message: error.message }
  return { message: String(error) }
}

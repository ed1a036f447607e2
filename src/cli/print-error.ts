import { CommanderError } from 'commander'

import { LovageError } from '../errors/errors.js'
import { maskUrls } from '../util/mask-url.js'
import { printableLines } from '../util/printable.js'
import type { CommandContext } from './command-context.js'

/**
 * Say on standard error why a command ended: one line for what a user can mend, the stack for what is a fault.
 *
 * `LOVAGE_DEBUG` prints the stack of everything.
 */
export function printError(error: unknown, session: CommandContext): void {
  // Commander has printed its own.
  if (error instanceof CommanderError) return
  const { io } = session
  const paint = session.paint(io.stderr)
  io.stderr.write(`${paint('red', 'lovage:')} ${printableLines(maskUrls(messageOf(error)))}\n`)
  const stack = stackToShow(error, io.env['LOVAGE_DEBUG'] !== undefined)
  if (stack !== undefined) io.stderr.write(`${paint('dim', printableLines(maskUrls(stack)))}\n`)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The stack where the fault lies in code: an error that is not ours, or one inside of the user's own module. */
function stackToShow(error: unknown, debug: boolean): string | undefined {
  if (!(error instanceof Error)) return undefined
  if (debug || !(error instanceof LovageError)) return withCauses(error)
  const { cause } = error
  const isFaultOfModule =
    error.code === 'LOVAGE_CONFIG' && cause instanceof Error && !(cause instanceof LovageError)
  return isFaultOfModule && !isSystemError(cause) ? withCauses(cause) : undefined
}

function withCauses(error: Error): string {
  const own = error.stack ?? error.message
  return error.cause instanceof Error ? `${own}\ncaused by: ${withCauses(error.cause)}` : own
}

function isSystemError(error: Error): boolean {
  return 'syscall' in error
}

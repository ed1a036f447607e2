import { CommanderError } from 'commander'

import {
  BackendConnectionError,
  BrokerConnectionError,
  ConfigError,
  PublishError,
  TaskArgumentsError,
  TimeoutError,
} from '../errors/errors.js'
import { UsageError } from './usage-error.js'

/** Exit codes of every command; `docs/guide/command-line.md` lists them. */
export const EXIT = {
  /** The command did what was asked. */
  done: 0,
  /** The command ran and the answer is bad: the task failed, or an error that has no code of its own. */
  failed: 1,
  /** The command line is wrong: unknown command, option, task or value, or a refusal to act without `--force`. */
  usage: 2,
  /** The worker was told to stop at once; the tasks it was running are back in their queues. */
  interrupted: 3,
  /** The broker or the result backend cannot be reached (`EX_UNAVAILABLE`). */
  unavailable: 69,
  /** The time given was not enough; trying again later may help (`EX_TEMPFAIL`). */
  timeout: 75,
  /** The app module cannot be found or loaded, or a setting is wrong (`EX_CONFIG`). */
  config: 78,
} as const

/** One of the documented exit codes. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** The exit code that tells a shell script what kind of error ended a command. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
  if (error instanceof UsageError || error instanceof TaskArgumentsError) return EXIT.usage
  if (error instanceof TimeoutError) return EXIT.timeout
  if (error instanceof ConfigError) return EXIT.config
  if (isUnreachable(error)) return EXIT.unavailable
  return EXIT.failed
}

function isUnreachable(error: unknown): boolean {
  return (
    error instanceof BrokerConnectionError ||
    error instanceof BackendConnectionError ||
    error instanceof PublishError
  )
}

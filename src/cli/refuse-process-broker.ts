import type { Lovage } from '../app/app.js'
import { chooseBroker } from '../config/backend-choice.js'
import { ConfigError } from '../errors/errors.js'
import type { CommandContext } from './command-context.js'
import { internalsOf } from '../util/internals.js'

/**
 * Refuse a command that sends where the broker is the memory of this process: the message would be gone with the command.
 *
 * @throws {@link ConfigError}, unless a program runs the command with an app of its own, which may have a worker beside it.
 */
export function refuseProcessBroker(session: CommandContext, app: Lovage, command: string): void {
  const choice = chooseBroker(internalsOf(app).config())
  if (session.start.app !== undefined || choice.kind !== 'urls' || !choice.urls.some(isOfProcess)) return
  throw new ConfigError(
    `"lovage ${command}" sends messages, and memory:// keeps them in this process, so they would be gone at its end; ` +
      'set broker to a store that outlives it',
  )
}

function isOfProcess(url: string): boolean {
  return url.toLowerCase().startsWith('memory:')
}

import { Command } from 'commander'

import type { Lovage } from '../../app/app.js'
import { confirm } from '../confirm.js'
import { EXIT } from '../exit-code.js'
import { printJson } from '../print.js'
import { chosenQueues, type QueueFlags } from '../queue-choice.js'
import type { CommandContext } from '../command-context.js'
import { collectList } from '../values.js'
import { COMMAND_SUMMARIES } from './summaries.js'
import { internalsOf } from '../../util/internals.js'

interface PurgeFlags extends QueueFlags {
  readonly force?: boolean
  readonly json?: boolean
}

/** `lovage purge`: drop every waiting message of the queues, after asking. */
export function purgeCommand(session: CommandContext): Command {
  return new Command('purge')
    .description(COMMAND_SUMMARIES.purge.description)
    .option('-f, --force', 'do not ask')
    .option('-Q, --queues <names>', 'these queues, in place of all that are configured', collectList)
    .option('-X, --exclude-queues <names>', 'all but these queues', collectList)
    .option('--json', 'print one JSON object')
    .action((flags: PurgeFlags) => purge(session, flags))
}

async function purge(session: CommandContext, flags: PurgeFlags): Promise<void> {
  const app = await session.openApp()
  const queues = chosenQueues(app, flags)
  const names = queues.join(', ')
  if (flags.force !== true && !(await confirm(session, `Drop every waiting message of ${names}?`))) {
    session.exitCode = EXIT.failed
    session.note('Nothing was dropped.')
    return
  }
  const dropped = await purgeAll(app, queues)
  const total = [...dropped.values()].reduce((sum, count) => sum + count, 0)
  if (flags.json === true) printJson(session.io.stdout, { purged: total, queues: dropped })
  else session.print(`Purged ${total} ${total === 1 ? 'message' : 'messages'} from ${names}.`)
}

async function purgeAll(app: Lovage, queues: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const broker = await internalsOf(app).broker()
  const dropped = new Map<string, number>()
  for (const queue of queues) dropped.set(queue, await broker.purge(queue))
  return dropped
}

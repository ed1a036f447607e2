import { Command } from 'commander'

import type { Lovage } from '../../app/app.js'
import { makeCallable } from '../../app/callable.js'
import { runPiped, runTerminal, type ShellNames } from '../repl.js'
import { refuseProcessBroker } from '../refuse-process-broker.js'
import type { CommandContext } from '../command-context.js'
import { COMMAND_SUMMARIES } from './summaries.js'
import { internalsOf } from '../../util/internals.js'

/** Names of the shell that a task cannot take. */
const RESERVED: ReadonlySet<string> = new Set(['app', 'tasks', 'console', 'process', 'global', 'globalThis'])

/** `lovage shell`: Node's REPL with the app and its tasks; a script can be piped in. */
export function shellCommand(session: CommandContext): Command {
  return new Command('shell')
    .description(COMMAND_SUMMARIES.shell.description)
    .option('--without-tasks', 'leave the tasks out')
    .action(async (flags: { readonly withoutTasks?: boolean }) => {
      const app = await session.openApp()
      refuseProcessBroker(session, app, 'shell')
      await internalsOf(app).loadTaskModules()
      const tasks = flags.withoutTasks === true ? {} : tasksByLastPart(app)
      const names = { app, ...tasks }
      const { stdin } = session.io
      if (stdin.isTTY === true) {
        session.note(greeting(app, Object.keys(tasks)))
        await runTerminal(names)
      } else {
        session.exitCode = await runPiped(names, session)
      }
    })
}

/** Tasks under the last part of their names; of two that share it the first one has it. */
function tasksByLastPart(app: Lovage): ShellNames {
  const names: Record<string, unknown> = {}
  for (const [name, definition] of app.tasks) {
    const short = name.slice(name.lastIndexOf('.') + 1)
    if (!/^[A-Za-z_$][\w$]*$/.test(short) || RESERVED.has(short) || short in names) continue
    names[short] = makeCallable(definition, () => internalsOf(app))
  }
  return names
}

function greeting(app: Lovage, tasks: readonly string[]): string {
  const known = tasks.length === 0 ? 'no tasks' : tasks.join(', ')
  return `App ${app.main} is here as \`app\`; its tasks: ${known}. Ctrl-D ends the shell.`
}

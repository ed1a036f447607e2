import { Command } from 'commander'

import type { Lovage } from '../../app/app.js'
import { makeCallable } from '../../app/callable.js'
import { refuseProcessBroker } from '../refuse-process-broker.js'
import type { CommandContext } from '../command-context.js'
import { COMMAND_SUMMARIES } from './summaries.js'
import { internalsOf } from '../../util/internals.js'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { start } from 'node:repl'
import { constants, Script } from 'node:vm'
import { printableLines } from '../../util/printable.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { printValue } from '../print.js'

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

/** What the code of a shell can name. */
type ShellNames = Readonly<Record<string, unknown>>

/** Node's own REPL on this terminal, until it is left. */
async function runTerminal(names: ShellNames): Promise<void> {
  const server = start({ prompt: 'lovage> ', useGlobal: false })
  Object.assign(server.context, names)
  await new Promise<void>((resolve) => {
    server.once('exit', resolve)
  })
}

/**
 * Run a script from standard input as if it was typed: values are printed, `await` works at the top level, and a
 * statement may go over several lines.
 *
 * The names become globals of this process. The first error ends the script, with its stack and exit code 1.
 */
async function runPiped(names: ShellNames, session: CommandContext): Promise<ExitCode> {
  const require = createRequire(join(session.io.cwd, 'shell.cjs'))
  for (const [name, value] of Object.entries({ ...names, require })) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
  }
  let pending = ''
  try {
    for await (const line of createInterface({ input: session.io.stdin })) {
      pending += `${line}\n`
      const script = compile(pending)
      if (script === undefined) continue
      pending = ''
      await run(script, session)
    }
    // What does not compile by now has an error to tell.
    if (pending.trim() !== '') await run(new Script(pending, SCRIPT_OPTIONS), session)
    return EXIT.done
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    session.io.stderr.write(`${printableLines(text)}\n`)
    return EXIT.failed
  }
}

const SCRIPT_OPTIONS = {
  filename: 'shell',
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
}

async function run(script: Script, session: CommandContext): Promise<void> {
  const value: unknown = await script.runInThisContext()
  if (value !== undefined) printValue(session.io.stdout, value, session.colors)
}

/** The code, wrapped where it awaits; `undefined` while it is incomplete or wrong. */
function compile(code: string): Script | undefined {
  const text = code.trim().replace(/;$/, '')
  const assigned = text.replace(/^(?:const|let|var)\s+(?=[\w$]+\s*=|[[{])/, '')
  return (
    attempt(code) ??
    (/\bawait\b/.test(code)
      ? (attempt(`(async () => (${assigned}\n))()`) ?? attempt(`(async () => {\n${code}\n})()`))
      : undefined)
  )
}

function attempt(code: string): Script | undefined {
  try {
    return new Script(code, SCRIPT_OPTIONS)
  } catch {
    return undefined
  }
}

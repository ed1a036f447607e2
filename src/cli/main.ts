import { resolve } from 'node:path'

import { Command } from 'commander'

import type { Lovage } from '../app/app.js'
import { commandName, commandOf, normalArguments, valueOf } from './arguments.js'
import { COMMAND_SUMMARIES, type CommandName } from './command/summaries.js'
import { EXIT, exitCodeOf, type ExitCode } from './exit-code.js'
import { processIo, type CommandIo } from './io.js'
import { printError } from './print-error.js'
import { CommandContext, type GlobalFlags, type Start } from './command-context.js'
import { UsageError } from './usage-error.js'
import { packageVersion } from './version.js'

/**
 * Run one command line and resolve with its exit code; nothing is thrown and the process is not ended.
 *
 * A host's own program may call it: `process.exitCode = await runCommand(['worker', '-A', './tasks.js'])`.
 *
 * @param argv - The words after the program's name.
 * @param io - Streams, variables and working folder; those of this process when left out.
 */
export async function runCommand(argv: readonly string[], io: CommandIo = processIo()): Promise<number> {
  return run({ argv, cwd: io.cwd }, io)
}

/** The same with an app of the caller's own; what `-A` says counts for nothing. */
export async function runWithApp(app: Lovage, argv: readonly string[]): Promise<number> {
  const io = processIo()
  return run({ argv, cwd: io.cwd, app }, io)
}

async function run(start: Start, io: CommandIo): Promise<ExitCode> {
  const { argv } = start
  const program = new Command('lovage')
  const normal = normalArguments(argv, COMMAND_NAMES)
  const before = process.cwd()
  const folder = workdirOf(normal.argv, io.cwd)
  const session = new CommandContext({ ...io, cwd: folder }, start, normal.iniFile, () =>
    program.opts<GlobalFlags>(),
  )
  try {
    if (folder !== before) process.chdir(folder)
    addCommands(program, session, await commandsFor(normal.argv))
    await program.parseAsync(normal.argv.length === 0 ? ['--help'] : [...normal.argv], { from: 'user' })
    return await finish(session, session.exitCode)
  } catch (error) {
    printError(error, session)
    return await finish(session, exitCodeOf(error))
  } finally {
    if (process.cwd() !== before) process.chdir(before)
  }
}

type CreateCommand = (session: CommandContext) => Command

/** Each command is loaded for itself: most of the time that a command takes is the loading of modules. */
const COMMANDS: Readonly<Record<CommandName, () => Promise<CreateCommand>>> = {
  worker: async () => (await import('./command/worker.js')).workerCommand,
  beat: async () => (await import('./command/beat.js')).beatCommand,
  call: async () => (await import('./command/call.js')).callCommand,
  result: async () => (await import('./command/result.js')).resultCommand,
  shell: async () => (await import('./command/shell.js')).shellCommand,
  purge: async () => (await import('./command/purge.js')).purgeCommand,
  migrate: async () => (await import('./command/migrate.js')).migrateCommand,
  dlq: async () => (await import('./command/dlq.js')).dlqCommand,
  report: async () => (await import('./command/report.js')).reportCommand,
}

/** Commands of Celery's that later versions bring, and what to do meanwhile. */
const laterCommands: ReadonlyMap<string, string> = new Map([
  ['inspect', 'remote control comes with a later version'],
  ['control', 'remote control comes with a later version'],
  ['status', 'remote control comes with a later version'],
  ['events', 'task events come with a later version'],
  ['multi', 'start one worker for each process with the service manager of the system'],
])

const COMMAND_NAMES: ReadonlySet<string> = new Set([
  ...Object.keys(COMMANDS),
  'help',
  ...laterCommands.keys(),
])

/** The command that is meant, or help is asked for; for a name that is none, what the list of commands shows of each. */
async function commandsFor(argv: readonly string[]): Promise<readonly CreateCommand[]> {
  const named = commandOf(argv, COMMAND_NAMES)
  const meant = named === 'help' ? commandName(argv[argv.indexOf('help') + 1] ?? '') : named
  const name = Object.keys(COMMANDS)
    .filter(isCommandName)
    .find((each) => each === meant)
  if (name !== undefined) return [await COMMANDS[name]()]
  return Object.keys(COMMANDS).filter(isCommandName).map(listed)
}

function isCommandName(name: string): name is CommandName {
  return name in COMMANDS
}

/** A command as far as the list of commands shows it. */
function listed(name: CommandName): CreateCommand {
  const { usage, description } = COMMAND_SUMMARIES[name]
  return () => new Command(name).usage(usage).description(description)
}

function addCommands(program: Command, session: CommandContext, commands: readonly CreateCommand[]): void {
  program
    .description('Distributed task queue: run workers, call tasks, look at results.')
    .option('-A, --app <module[:export]>', 'module that exports the app (LOVAGE_APP)')
    .option('-b, --broker <url>', 'broker URL, above every other setting of it')
    .option('--result-backend <url>', 'result backend URL, above every other setting of it')
    .option('--config <module>', 'settings module to read')
    .option('--ini <file>', 'ini file to read; it may also be the first argument of a command')
    .option('--loader <name>', 'app or default, as Celery takes it: without effect, settings are found alike')
    .option('--workdir <folder>', 'work in this folder')
    .option('-C, --no-color', 'no colours (NO_COLOR)')
    .option('-q, --quiet', 'print results and errors alone')
    .version(packageVersion(), '--version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .configureHelp({
      showGlobalOptions: true,
      sortSubcommands: false,
      subcommandTerm: (command) => `${command.name()} ${command.usage()}`,
    })
    .addHelpText('after', `\n${EXAMPLES}`)
  for (const create of commands) program.addCommand(create(session))
  for (const [name, why] of laterCommands) program.addCommand(later(name, why), { hidden: true })
  for (const command of [program, ...descendants(program)]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => session.io.stdout.write(text),
      writeErr: (text) => session.io.stderr.write(text),
      getOutHasColors: () => session.colors,
      outputError: (text, write) => {
        write(session.paint(session.io.stderr)('red', text.replace(/^error: /, 'lovage: ')))
      },
    })
  }
}

/** A command of Celery's that is still to come: refused by name rather than as a typing error. */
function later(name: string, why: string): Command {
  return new Command(name)
    .allowUnknownOption()
    .allowExcessArguments()
    .action(() => {
      throw new UsageError(`"${name}" is not there yet: ${why}`)
    })
}

function descendants(command: Command): readonly Command[] {
  return command.commands.flatMap((child) => [child, ...descendants(child)])
}

/** The folder must be known before anything is looked up in it. */
function workdirOf(argv: readonly string[], cwd: string): string {
  const folder = valueOf(argv, '--workdir')
  return folder === undefined ? cwd : resolve(cwd, folder)
}

async function finish(session: CommandContext, code: ExitCode): Promise<ExitCode> {
  try {
    await session.close()
    return code
  } catch (error) {
    printError(error, session)
    return code === EXIT.done ? exitCodeOf(error) : code
  }
}

const EXAMPLES = `Examples:
  lovage -A ./tasks.ts worker -l info
  lovage worker ./development.ini
  lovage -A ./tasks.ts call tasks.add --args '[5, 10]'
  lovage -A ./tasks.ts result <id>
  lovage -A ./tasks.ts shell

Exit codes: 0 done, 1 failed, 2 wrong use, 3 worker stopped before its tasks ended,
69 broker or backend out of reach, 75 not ready in time, 78 app or settings wrong.
`

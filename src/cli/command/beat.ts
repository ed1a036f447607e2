import { Command } from 'commander'

import type { ListedEntry } from '../../beat/beat-control.js'
import { Beat } from '../../beat/beat.js'
import { crontab } from '../../schedule/schedules.js'
import type { ScheduleInput } from '../../schedule/read-schedule.js'
import { EXIT } from '../exit-code.js'
import { extraSettings } from '../extra-settings.js'
import { printJson, table } from '../print.js'
import { refuseProcessBroker } from '../refuse-process-broker.js'
import type { CommandContext } from '../command-context.js'
import { onStopSignals } from '../stop-signals.js'
import { UsageError } from '../usage-error.js'
import { parseArgs, parseKwargs, parseSeconds, parseWhole } from '../values.js'
import { refuseLater } from '../worker-flags.js'
import { openWorkerLog, type LogFlags } from '../worker-log.js'
import { COMMAND_SUMMARIES } from './summaries.js'
import { internalsOf } from '../../util/internals.js'

interface BeatFlags extends LogFlags {
  readonly maxInterval?: string
  readonly schedule?: string
}

interface EntryFlags {
  readonly json?: boolean
  readonly tz?: string
  readonly count?: string
  readonly task?: string
  readonly cron?: string
  readonly every?: string
  readonly args?: string
  readonly kwargs?: string
}

/** `lovage beat`: send periodic tasks until told to stop; its subcommands look at them and change them. */
export function beatCommand(session: CommandContext): Command {
  const group = new Command('beat').description(COMMAND_SUMMARIES.beat.description)
  group
    .option('-l, --loglevel <level>', 'debug, info, warning, error, critical, silent', 'info')
    .option('--log-format <format>', 'json or text; text on a terminal, else json')
    .option(
      '--max-interval <seconds>',
      'longest sleep between two looks at the schedule (2, which is the most)',
    )
    .option('-s, --schedule <file>', 'local file, where neither broker nor backend can hold schedules')
    .allowUnknownOption()
    .allowExcessArguments()
    .action(() => runBeat(session, group.opts<BeatFlags>(), group.args))
  refuseLater(
    group,
    '-S, --scheduler <class>',
    'schedules are kept in the store; beatStore names another one',
  )
  group.addCommand(listCommand(session)).addCommand(nextCommand(session)).addCommand(addCommand(session))
  for (const name of ['remove', 'pause', 'resume', 'run'] as const)
    group.addCommand(changeCommand(session, name))
  return group
}

async function runBeat(session: CommandContext, flags: BeatFlags, words: readonly string[]): Promise<void> {
  const { maxInterval, schedule } = flags
  const app = await session.openApp({
    ...(maxInterval === undefined
      ? {}
      : { beatMaxLoopInterval: parseSeconds(maxInterval, '--max-interval') }),
    ...(schedule === undefined ? {} : { beatScheduleFilename: schedule }),
    ...extraSettings(words),
  })
  refuseProcessBroker(session, app, 'beat')
  const { logger } = openWorkerLog(session, app, flags)
  internalsOf(app).logger = logger
  const beat = new Beat(app)
  const release = onStopSignals({
    warm: () => void beat.stop(),
    cold: () => process.exit(EXIT.interrupted),
    now: () => process.exit(EXIT.interrupted),
  })
  try {
    await beat.run()
  } finally {
    release()
  }
}

function listCommand(session: CommandContext): Command {
  return new Command('list')
    .description('list periodic tasks, with the last and the next time of each')
    .option('--json', 'print JSON')
    .action(async (flags: EntryFlags) => {
      const app = await session.openApp()
      const entries = await app.beat.list()
      if (flags.json === true) printJson(session.io.stdout, entries)
      else if (entries.length === 0) session.note('No periodic tasks: no beat has run, and none was added.')
      else session.io.stdout.write(table([HEADINGS, ...entries.map(row)]))
    })
}

const HEADINGS = ['NAME', 'TASK', 'SCHEDULE', 'ORIGIN', 'LAST', 'NEXT']

function row({ name, task, schedule, origin, paused, last, next }: ListedEntry): readonly string[] {
  const shown = paused ? 'paused' : (next?.toISOString() ?? 'never')
  return [name, task, schedule, origin, last?.toISOString() ?? '-', shown]
}

function nextCommand(session: CommandContext): Command {
  return new Command('next')
    .description("print the next ten times of a line of cron: lovage beat next '0 8 1 * *' --tz Asia/Tokyo")
    .argument('<cron>', 'five fields, or @daily and its kin')
    .option('--tz <zone>', 'IANA zone (UTC)')
    .option('-n, --count <count>', 'how many', '10')
    .action((text: string, { tz, count }: EntryFlags) => {
      const schedule = crontab.fromString(text)
      let at = schedule.next(Date.now(), tz === undefined ? {} : { timezone: tz })
      for (let left = parseWhole(count ?? '10', '--count', 1); left > 0; left -= 1) {
        session.print(at.toISO({ suppressMilliseconds: true }) ?? '')
        at = schedule.next(at, tz === undefined ? {} : { timezone: tz })
      }
    })
}

function addCommand(session: CommandContext): Command {
  return new Command('add')
    .description('add a periodic task, or replace one that was added so')
    .argument('<name>', 'name of the entry')
    .requiredOption('--task <task>', 'name of the task')
    .option('--cron <line>', "when, as cron writes it: '0 8 1 * *'")
    .option('--every <seconds>', 'or every so many seconds')
    .option('--tz <zone>', 'IANA zone; that of the app when left out')
    .option('--args <json>', 'arguments as a JSON list', '[]')
    .option('--kwargs <json>', 'keyword arguments as a JSON object', '{}')
    .action(async (name: string, flags: EntryFlags) => {
      const schedule = scheduleOf(flags)
      const app = await session.openApp()
      if (internalsOf(app).config().beatStore === undefined) refuseProcessBroker(session, app, 'beat add')
      await app.beat.upsert(name, {
        task: flags.task ?? '',
        schedule,
        args: parseArgs(flags.args),
        kwargs: parseKwargs(flags.kwargs),
        ...(flags.tz === undefined ? {} : { timezone: flags.tz }),
      })
      session.print(`Added ${name}.`)
    })
}

function scheduleOf({ cron, every }: EntryFlags): ScheduleInput {
  if ((cron === undefined) === (every === undefined)) throw new UsageError('say when: --cron or --every')
  return cron ?? parseSeconds(every ?? '', '--every')
}

type Change = 'remove' | 'pause' | 'resume' | 'run'

const CHANGES: Readonly<Record<Change, string>> = {
  remove: 'remove a periodic task that was added at run time',
  pause: 'send nothing of a periodic task until it is resumed',
  resume: 'send a periodic task again',
  run: 'send a periodic task now, beside its schedule',
}

function changeCommand(session: CommandContext, change: Change): Command {
  return new Command(change)
    .description(CHANGES[change])
    .argument('<name>', 'name of the entry')
    .action(async (name: string) => {
      const app = await session.openApp()
      refuseProcessBroker(session, app, `beat ${change}`)
      if (change === 'run') {
        await internalsOf(app).loadTaskModules()
        session.print((await app.beat.runNow(name)).id)
        return
      }
      if (await app.beat[change](name)) return
      session.exitCode = EXIT.failed
      session.note(`lovage: there is no periodic task "${name}"`)
    })
}

import { Command } from 'commander'

import type { Lovage } from '../../app/app.js'
import {
  listDeadLetters,
  purgeDeadLetters,
  replayDeadLetters,
  showDeadLetter,
} from '../../control/dead-letters.js'
import type { DeadLetter } from '../../control/dead-letter.js'
import { confirm } from '../confirm.js'
import { EXIT } from '../exit-code.js'
import { jsonText, printJson, table } from '../print.js'
import { chosenQueues, type QueueFlags } from '../queue-choice.js'
import type { CommandContext } from '../command-context.js'
import { UsageError } from '../usage-error.js'
import { collectList, parseWhole } from '../values.js'
import { append } from '../../util/long-list.js'
import { COMMAND_SUMMARIES } from './summaries.js'
import { internalsOf } from '../../util/internals.js'

interface DlqFlags extends Pick<QueueFlags, 'queues'> {
  readonly limit?: string
  readonly json?: boolean
  readonly force?: boolean
  readonly all?: boolean
}

/** `lovage dlq`: look at messages that were set aside, send them again, or drop them. */
export function dlqCommand(session: CommandContext): Command {
  const group = new Command('dlq').description(COMMAND_SUMMARIES.dlq.description)
  group
    .addCommand(dlqOption(new Command('list').description('list dead letters, the oldest first')))
    .addCommand(
      dlqOption(new Command('show').description('print one dead letter').argument('<id>', 'task id')),
    )
    .addCommand(
      dlqOption(new Command('replay').description('send dead letters back to where they came from'))
        .argument('[ids...]', 'task ids')
        .option('--all', 'every dead letter, where no ids are given'),
    )
    .addCommand(
      dlqOption(new Command('purge').description('drop dead letters; there is no undo'))
        .argument('[ids...]', 'task ids; every dead letter when there are none')
        .option('-f, --force', 'do not ask'),
    )
  const actions: Readonly<Record<string, DlqAction>> = { list, show, replay, purge }
  for (const command of group.commands) {
    command.action(async () => {
      const { args } = command
      await actions[command.name()]?.(session, args, command.opts<DlqFlags>())
    })
  }
  return group
}

type DlqAction = (session: CommandContext, ids: readonly string[], flags: DlqFlags) => Promise<void>

function dlqOption(command: Command): Command {
  return command
    .option(
      '-Q, --queues <names>',
      'dead letters of these queues, in place of all that are configured',
      collectList,
    )
    .option('--limit <count>', 'look at no more than this many of each queue', '1000')
    .option('--json', 'print JSON')
}

async function list(session: CommandContext, _ids: readonly string[], flags: DlqFlags): Promise<void> {
  const app = await session.openApp()
  const letters: DeadLetter[] = []
  for (const queue of chosenQueues(app, flags)) {
    append(letters, await listDeadLetters(await internalsOf(app).broker(), queue, { limit: limitOf(flags) }))
  }
  if (flags.json === true) {
    printJson(session.io.stdout, letters.map(summary))
    return
  }
  if (letters.length === 0) session.note('No dead letters.')
  else session.io.stdout.write(table([HEADINGS, ...letters.map(row)]))
}

async function show(session: CommandContext, [id = '']: readonly string[], flags: DlqFlags): Promise<void> {
  const app = await session.openApp()
  for (const queue of chosenQueues(app, flags)) {
    const letter = await showDeadLetter(await internalsOf(app).broker(), queue, id)
    if (letter === undefined) continue
    const whole = { ...summary(letter), ...contents(app, letter) }
    if (flags.json === true) printJson(session.io.stdout, whole)
    else session.io.stdout.write(`${jsonText(whole, 2)}\n`)
    return
  }
  session.exitCode = EXIT.failed
  session.note(`lovage: no dead letter has the id "${id}"`)
}

async function replay(session: CommandContext, ids: readonly string[], flags: DlqFlags): Promise<void> {
  if (ids.length === 0 && flags.all !== true) throw new UsageError('name the ids to replay, or --all')
  const app = await session.openApp()
  const sent: DeadLetter[] = []
  for (const queue of chosenQueues(app, flags)) {
    const query = ids.length === 0 ? {} : { ids, limit: limitOf(flags) }
    append(sent, await replayDeadLetters(await internalsOf(app).broker(), queue, query))
  }
  if (flags.json === true) printJson(session.io.stdout, sent.map(summary))
  else session.print(`Replayed ${count(sent.length)}.`)
  const missing = ids.filter((id) => !sent.some((letter) => letter.id === id))
  if (missing.length === 0) return
  session.io.stderr.write(`Not among the dead letters: ${missing.join(', ')}\n`)
  session.exitCode = EXIT.failed
}

async function purge(session: CommandContext, ids: readonly string[], flags: DlqFlags): Promise<void> {
  const app = await session.openApp()
  const queues = chosenQueues(app, flags)
  const what = ids.length === 0 ? `every dead letter of ${queues.join(', ')}` : count(ids.length)
  if (flags.force !== true && !(await confirm(session, `Drop ${what}?`))) {
    session.note('Nothing was dropped.')
    session.exitCode = EXIT.failed
    return
  }
  let dropped = 0
  for (const queue of queues) {
    const query = ids.length === 0 ? {} : { ids, limit: limitOf(flags) }
    dropped += await purgeDeadLetters(await internalsOf(app).broker(), queue, query)
  }
  if (flags.json === true) printJson(session.io.stdout, { purged: dropped })
  else session.print(`Dropped ${count(dropped)}.`)
}

const HEADINGS = ['ID', 'TASK', 'QUEUE', 'REASON', 'SINCE', 'DETAIL']

function row(letter: DeadLetter): readonly string[] {
  const { id, task, queue, reason, detail } = letter
  return [id, task, queue, reason, sinceOf(letter) ?? '', detail.split('\n')[0] ?? '']
}

function summary(letter: DeadLetter): object {
  const { id, task, queue, reason, detail, deliveries } = letter
  return { id, task, queue, reason, detail, deliveries, since: sinceOf(letter) ?? null }
}

/** The message itself: decoded where it can be, else its bytes. */
function contents(app: Lovage, { route, message }: DeadLetter): object {
  const { contentType, contentEncoding, headers, properties } = message
  const about = { route, contentType, contentEncoding, headers, properties }
  try {
    const { args, kwargs } = internalsOf(app).readTask(message)
    return { ...about, args, kwargs }
  } catch {
    return { ...about, body: Buffer.from(message.body).toString('utf8') }
  }
}

function sinceOf({ atMs }: DeadLetter): string | undefined {
  return atMs === undefined ? undefined : new Date(atMs).toISOString()
}

function count(letters: number): string {
  return letters === 1 ? '1 dead letter' : `${letters} dead letters`
}

function limitOf({ limit = '1000' }: DlqFlags): number {
  return parseWhole(limit, '--limit', 1)
}

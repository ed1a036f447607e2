import { Command } from 'commander'

import type { Lovage } from '../../app/app.js'
import { Beat } from '../../beat/beat.js'
import { chooseBroker } from '../../config/backend-choice.js'
import type { TaskLogger } from '../../task/logger.js'
import { Worker } from '../../worker/worker.js'
import type { WorkerExit } from '../../worker/worker-options.js'
import { EXIT, exitCodeOf, type ExitCode } from '../exit-code.js'
import { extraSettings } from '../extra-settings.js'
import { likelyModules } from '../loader/find-module.js'
import { enableTypeScript } from '../loader/typescript.js'
import type { LogFormat } from '../log.js'
import { printError } from '../print-error.js'
import type { CommandContext } from '../command-context.js'
import { onStopSignals } from '../stop-signals.js'
import { UsageError } from '../usage-error.js'
import { watchWorker } from '../watch/watch-worker.js'
import {
  addWorkerOptions,
  optionsWithoutEffect,
  workerOptions,
  workerSettings,
  type WorkerFlags,
} from '../worker-flags.js'
import { checkLogFlags, openWorkerLog, redirectOutput } from '../worker-log.js'
import { COMMAND_SUMMARIES } from './summaries.js'
import { internalsOf } from '../../util/internals.js'
import type { WorkerBanner } from '../../worker/banner.js'
import type { Paint } from '../io.js'
import { packageVersion } from '../version.js'

/** `lovage worker`: run tasks until told to stop. */
export function workerCommand(session: CommandContext): Command {
  const command = new Command('worker').description(COMMAND_SUMMARIES.worker.description)
  return addWorkerOptions(command)
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async () => {
      const flags = command.opts<WorkerFlags>()
      checkLogFlags(session, flags)
      if (flags.watch === true && session.start.app !== undefined)
        throw new UsageError(
          '--watch restarts a program of its own: use the command line, lovage -A … worker --watch',
        )
      warnOfOptions(session, optionsWithoutEffect(command))
      session.exitCode =
        flags.watch === true && flags.watched !== true
          ? await watchWorker(session)
          : await work(session, flags, command.args)
    })
}

async function work(
  session: CommandContext,
  flags: WorkerFlags,
  words: readonly string[],
): Promise<ExitCode> {
  const app = await session.openApp({ ...workerSettings(flags), ...extraSettings(words) })
  if (flags.include !== undefined) include(app, flags.include)
  await internalsOf(app).loadTaskModules()
  refuseWithoutTasks(app, session)
  const { logger, format } = openWorkerLog(session, app, flags)
  internalsOf(app).logger = logger
  const worker = new Worker(app, { ...workerOptions(flags), logger })
  showBanner(session, { app, worker, logger, format })
  // The process that watches the sources has died.
  if (flags.watched === true) process.once('disconnect', () => void worker.stop())
  const restore = redirectOutput(app, logger)
  try {
    if (flags.beat !== true) return await runToEnd(session, worker, logger)
    await using beat = new Beat(app, { logger })
    beat.run().catch((error: unknown) => {
      logger.error({ err: error }, 'beat: ended; periodic tasks are not sent by this worker any more')
    })
    return await runToEnd(session, worker, logger)
  } finally {
    restore()
  }
}

function warnOfOptions(session: CommandContext, options: readonly string[]): void {
  if (options.length > 0) session.note(`Warning: without effect here: ${options.join(', ')}`)
}

function include(app: Lovage, modules: readonly string[]): void {
  enableTypeScript()
  app.conf.update({ include: [...internalsOf(app).config().include, ...modules] })
}

/** A worker without a task can only set messages aside; somebody forgot to say where the tasks are. */
function refuseWithoutTasks(app: Lovage, session: CommandContext): void {
  if (app.tasks.size > 0) return
  if (session.place !== undefined) {
    session.note(`Warning: ${session.place} defines no tasks.`)
    return
  }
  const [likely = './tasks.ts'] = likelyModules(session.io.cwd)
  throw new UsageError(`there are no tasks to run; name the module of your app: lovage -A ${likely} worker`)
}

interface Starting {
  readonly app: Lovage
  readonly worker: Worker
  readonly logger: TaskLogger
  readonly format: LogFormat
}

function showBanner(session: CommandContext, { app, worker, logger, format }: Starting): void {
  const { banner } = worker
  if (format === 'json') {
    logger.info({ ...banner, pid: process.pid }, `${banner.hostname} starts`)
    return
  }
  if (session.quiet) return
  const paint = session.paint(session.io.stdout)
  const isEmbedded = chooseBroker(internalsOf(app).config()).kind === 'embedded'
  session.io.stdout.write(bannerText(banner, { place: session.place, isEmbedded, paint }))
}

async function runToEnd(session: CommandContext, worker: Worker, logger: TaskLogger): Promise<ExitCode> {
  const release = onStopSignals({
    warm: (signal) => {
      const { running } = worker.status
      if (running > 0)
        logger.info({ signal, running }, `${signal}: ${running} running; a second one stops at once`)
      void worker.stop()
    },
    cold: () => {
      void worker.stop({ hard: true })
    },
    now: () => process.exit(EXIT.interrupted),
  })
  try {
    return exitCode(session, await worker.run(), logger)
  } finally {
    release()
  }
}

function exitCode(session: CommandContext, exit: WorkerExit, logger: TaskLogger): ExitCode {
  if (exit.error !== undefined) printError(exit.error, session)
  for (const { id, task, handedBack } of exit.interrupted) {
    const fate = handedBack ? 'is back in its queue' : 'is lost: it had been acknowledged early'
    logger.warn({ id, task, handedBack }, `Task ${task}[${id}] was interrupted and ${fate}`)
  }
  if (exit.interrupted.length > 0) return EXIT.interrupted
  if (exit.error !== undefined) return exitCodeOf(exit.error)
  return exit.reason === 'failed' ? EXIT.failed : EXIT.done
}

/** What the banner says beside the worker's own facts. */
interface BannerContext {
  /** The app's module as the user knows it. */
  readonly place: string | undefined
  /** No broker was named: the embedded file is used. */
  readonly isEmbedded: boolean
  readonly paint: Paint
}

/** The banner of a worker as text, one fact a line. */
function bannerText(banner: WorkerBanner, context: BannerContext): string {
  const { place, isEmbedded, paint } = context
  const { version, platform, arch } = process
  const title = `${paint('bold', banner.hostname)}  lovage ${packageVersion()}, Node ${version}, ${platform} ${arch}`
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['app', [place === undefined ? banner.app : `${banner.app} (${place})`]],
    ['transport', [shownStore(banner.transport, isEmbedded)]],
    ['results', [shownStore(banner.results, isEmbedded)]],
    ['concurrency', [`${banner.concurrency} (${banner.pool})`]],
    ['queues', [banner.queues.map(({ name }) => name).join(', ')]],
    ['tasks', banner.tasks.length === 0 ? ['none'] : banner.tasks],
  ]
  const lines = rows.flatMap(([name, values]) =>
    values.map((value, index) => `  ${paint('cyan', (index === 0 ? `${name}:` : '').padEnd(14))}${value}`),
  )
  return `\n${title}\n\n${lines.join('\n')}\n\n`
}

/** The embedded default is a file that somebody may look for, rather than a URL that somebody wrote. */
function shownStore(url: string, isEmbedded: boolean): string {
  const path = /^sqlite:\/\/\/(.+)$/.exec(url)?.[1]
  return isEmbedded && path !== undefined ? `embedded file ${path}` : url
}

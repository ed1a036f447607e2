import type { QueueSpec } from '../broker/contract.js'
import { DeadLetterWatch } from './dead-letter-watch.js'
import type { WorkerHost } from './host.js'
import { ClaimWindow } from './claim/claim-window.js'
import { Dispatcher } from './run/dispatcher.js'
import { StalledPrefetch } from './claim/stalled-prefetch.js'
import { Intake } from './run/intake.js'
import { EventLoopMonitor } from './run/event-loop-monitor.js'
import { ClaimBoard } from './lease/claim-board.js'
import { OutcomeSettlements } from './settle/outcome-settlement.js'
import type { Pool } from './pool/pool.js'
import { pools } from './pool/registry.js'
import { ReadAhead } from './claim/read-ahead.js'
import { Records } from './settle/records.js'
import { Rejections } from './settle/rejections.js'
import { SharedKeepers } from './connection/shared-keepers.js'
import type { WorkerSettings } from './settings.js'
import { Supervisor } from './connection/supervisor.js'
import { TaskLog } from './run/task-log.js'

/** The parts of one worker, put together. */
export interface WorkerCore {
  readonly host: WorkerHost
  readonly pool: Pool
  readonly dispatcher: Dispatcher
  readonly supervisor: Supervisor
  readonly eventLoop: EventLoopMonitor
  readonly deadLetterWatch: DeadLetterWatch
  readonly stalledPrefetch: StalledPrefetch
  /** Ends the keepers, if there are any. */
  stopKeeper(): Promise<void>
}

/** What a core is made for. */
export interface CoreOptions {
  readonly host: WorkerHost
  readonly settings: WorkerSettings
  readonly queues: readonly QueueSpec[]
  /** Called each time that claims begin. */
  readonly ready: () => void
}

/** Least wait before what was read ahead is given back, in milliseconds. */
const LEAST_HOARD_MS = 100

/** Room for claims that a session lost before it was replaced. */
const BOARD_SPARE = 64

/** Put the parts of a worker together. Opens nothing. */
export function createCore(options: CoreOptions): WorkerCore {
  const { host, settings } = options
  const readAhead = new ReadAhead(settings)
  const window = new ClaimWindow({ ...settings, readAhead })
  const records = new Records(host, settings)
  const stalledPrefetch = new StalledPrefetch({
    clock: host.clock,
    afterMs: Math.max(LEAST_HOARD_MS, 2 * settings.readAheadMs),
    buffered: () => dispatcher.buffered,
    giveBack: () => {
      readAhead.reset()
      dispatcher.handBackBuffered()
    },
  })
  const pool: Pool = pools.open(
    settings.pool,
    {
      ...host,
      time: host,
      updateState: (job, update) => dispatcher.updateState(job, update),
    },
    settings.concurrency,
  )
  const board = new ClaimBoard(window.most + BOARD_SPARE)
  const eventLoop = new EventLoopMonitor({
    beat: () => board.beat(),
    logger: host.logger,
    elapsedMs: host.elapsedMs,
    running: () => dispatcher.running,
  })
  const dispatcher: Dispatcher = new Dispatcher({
    host,
    pool,
    window,
    records,
    outcomes: new OutcomeSettlements(host, records, settings.deadLetters),
    log: new TaskLog(host.logger),
    stalledPrefetch,
    eventLoop,
    board,
    maxDeliveries: settings.maxDeliveries,
  })
  const refusals = new Rejections(host, settings, records, dispatcher)
  dispatcher.intake = new Intake({ host, settings, refusals, owner: dispatcher })
  return {
    host,
    pool,
    dispatcher,
    eventLoop,
    stalledPrefetch,
    ...createSessions(options, { window, dispatcher, board }),
  }
}

/** The parts that have to do with connections. */
function createSessions(
  { host, settings, queues, ready }: CoreOptions,
  { window, dispatcher, board }: { window: ClaimWindow; dispatcher: Dispatcher; board: ClaimBoard },
): Pick<WorkerCore, 'supervisor' | 'deadLetterWatch' | 'stopKeeper'> {
  const sessions = new SharedKeepers(host, settings, board)
  const supervisor: Supervisor = new Supervisor({
    host,
    settings,
    ready: () => {
      deadLetterWatch.start()
      if (supervisor.session !== undefined) sessions.writeClaimlessTo(supervisor.session.claims.settler)
      ready()
    },
    sessionParts: (broker) => ({ host, settings, queues, window, dispatcher, ...sessions.partsFor(broker) }),
  })
  const deadLetterWatch = new DeadLetterWatch({
    ...host,
    queues,
    limits: settings.deadLetters,
    broker: () => supervisor.session?.claims.broker,
  })
  return { supervisor, deadLetterWatch, stopKeeper: () => sessions.stopKeeper() }
}

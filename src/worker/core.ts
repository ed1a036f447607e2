import type { Broker, QueueSpec } from '../broker/contract.js'
import { ClaimWindow } from './claim/claim-window.js'
import { ReadAhead } from './claim/read-ahead.js'
import type { ConsumerSession } from './connection/consumer-session.js'
import { SharedKeepers } from './connection/shared-keepers.js'
import { Supervisor } from './connection/supervisor.js'
import { DeadLetterWatch } from './dead-letter-watch.js'
import type { WorkerHost } from './host.js'
import { ClaimBoard } from './lease/claim-board.js'
import type { Pool } from './pool/pool.js'
import { pools } from './pool/registry.js'
import { Dispatcher } from './run/dispatcher.js'
import { EventLoopMonitor } from './run/event-loop-monitor.js'
import { TaskLog } from './run/task-log.js'
import { UnderWay } from './run/under-way.js'
import type { WorkerSettings } from './settings.js'
import { OutcomeSettlements } from './settle/outcome-settlement.js'
import { Records } from './settle/records.js'

/** The parts of one worker, put together. */
export interface WorkerCore {
  readonly host: WorkerHost
  readonly pool: Pool
  readonly dispatcher: Dispatcher
  /** What runs, and what waits for a store. */
  readonly underWay: UnderWay
  readonly supervisor: Supervisor
  readonly eventLoop: EventLoopMonitor
  readonly deadLetterWatch: DeadLetterWatch
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

/** Room for claims that a session lost before it was replaced. */
const BOARD_SPARE = 64

/** Put the parts of a worker together, each from those before it. Opens nothing. */
export function createCore({ host, settings, queues, ready }: CoreOptions): WorkerCore {
  const { concurrency, prefetchMultiplier, readAheadMs } = settings
  const readAhead = new ReadAhead({ concurrency, prefetchMultiplier, readAheadMs })
  const window = new ClaimWindow({ concurrency, prefetchMultiplier, readAhead })
  const board = new ClaimBoard(window.most + BOARD_SPARE)
  const underWay = new UnderWay(window)
  const { running } = underWay
  const eventLoop = new EventLoopMonitor({ ...host, running, beat: () => board.beat() })
  const records = new Records(host, settings)
  const poolHost = { ...host, time: host, updateState: records.storeState.bind(records) }
  const pool = pools.open(settings.pool, poolHost, concurrency)
  const outcomes = new OutcomeSettlements(host, records, settings.deadLetters)
  const log = new TaskLog(host.logger)
  const run = { pool, records, outcomes, log, eventLoop, board, underWay }
  const dispatcher = new Dispatcher({ ...run, host, settings, window })
  const keepers = new SharedKeepers(host, settings, board)
  const deadLetterWatch = new DeadLetterWatch({ ...host, queues, limits: settings.deadLetters })
  const supervisor = new Supervisor({
    host,
    settings,
    sessionParts: (broker) => ({ host, settings, queues, window, dispatcher, ...keepers.partsFor(broker) }),
    ready: (session) => {
      deadLetterWatch.start(() => brokerOf(session))
      keepers.writeClaimlessTo(session.claims.settler)
      ready()
    },
  })
  const stopKeeper = (): Promise<void> => keepers.stopKeeper()
  return { host, pool, dispatcher, underWay, eventLoop, supervisor, deadLetterWatch, stopKeeper }
}

function brokerOf({ isLost, claims }: ConsumerSession): Broker | undefined {
  return isLost ? undefined : claims.broker
}

import type { Broker } from '../../broker/contract.js'
import type { TaskLogger } from '../../task/logger.js'
import type { Clock } from '../../util/clock.js'
import type { ClaimBoard } from './claim-board.js'
import type { KeeperStart } from './keeper-messages.js'
import { LocalKeeper, noKeeper, type LeaseKeeper } from '../../broker/lease-keeper.js'
import { ThreadKeeper } from './thread-keeper.js'

/** What a keeper is opened for. */
export interface KeeperParts {
  readonly broker: Broker
  /** How another thread opens the same broker; absent where it cannot. */
  readonly start: KeeperStart | undefined
  readonly leaseMs: number
  /** The claims of the worker: where there is a thread, it watches the event loop. */
  readonly board: ClaimBoard
  readonly blockedLoopLimitMs: number
  readonly clock: Clock
  readonly logger: TaskLogger
}

/**
 * The keeper that fits: a thread where the store outlives the process. Where claims do not expire either, the thread only
 * watches the event loop.
 */
export function openKeeper(parts: KeeperParts): LeaseKeeper {
  const { broker, start, leaseMs, board, blockedLoopLimitMs, clock, logger } = parts
  // What does not outlive the process is not seen by a second connection either.
  if (start !== undefined && broker.capabilities.durable) {
    board.isWatched = true
    const watched = { memory: board.memory, limitMs: blockedLoopLimitMs }
    return new ThreadKeeper({ ...start, board: watched }, logger)
  }
  if (broker.capabilities.claims === 'connection') return noKeeper
  const failed = (err: Error): void => {
    logger.warn({ err }, 'claims could not be renewed; trying again')
  }
  return new LocalKeeper({ leaseMs, clock, failed })
}

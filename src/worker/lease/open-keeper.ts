import type { Broker } from '../../broker/contract.js'
import type { TaskLogger } from '../../task/logger.js'
import type { Clock } from '../../util/clock.js'
import type { KeeperStart } from './keeper-messages.js'
import { noKeeper, type LeaseKeeper } from './keeper.js'
import { LocalKeeper } from './local-keeper.js'
import { ThreadKeeper } from './thread-keeper.js'

/** What a keeper is opened for. */
export interface KeeperParts {
  readonly broker: Broker
  /** How another thread opens the same broker; absent where it cannot. */
  readonly start: KeeperStart | undefined
  readonly leaseMs: number
  readonly clock: Clock
  readonly logger: TaskLogger
}

/** The keeper that fits: none where claims do not expire, a thread where the store can be opened a second time. */
export function openKeeper(parts: KeeperParts): LeaseKeeper {
  const { broker, start, leaseMs, clock, logger } = parts
  if (broker.leases === undefined) return noKeeper
  // What does not outlive the process is not seen by a second connection either.
  if (start === undefined || !broker.capabilities.durable) {
    return new LocalKeeper({ leaseMs, clock, logger })
  }
  return new ThreadKeeper(start, logger)
}

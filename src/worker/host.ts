import type { ResultBackend } from '../backend/contract.js'
import type { Broker } from '../broker/contract.js'
import type { Message } from '../message/message.js'
import type { ResultCodec } from '../message/result-codec.js'
import type { TaskMessage } from '../message/task-message.js'
import type { TaskLookup } from '../task/definition.js'
import type { TaskLogger } from '../task/logger.js'
import type { TaskPort } from '../task/port.js'
import type { Sender } from '../task/sender.js'
import type { Clock } from '../util/clock.js'
import type { StoreClock } from '../broker/store-clock.js'
import type { KeeperStart } from './lease/keeper-messages.js'
import type { Execute } from './pool/pool.js'

/** What the inner parts of a worker need of its app; tests put their own in. */
export interface WorkerHost {
  readonly tasks: TaskLookup
  readonly errors: TaskPort['errors']
  readonly sender: Sender
  readonly clock: Clock
  /** Milliseconds that never jump. */
  readonly elapsedMs: () => number
  /** The broker's clock: expiry and due times are compared on it. */
  readonly storeClock: StoreClock
  readonly logger: TaskLogger
  /** Where results go; absent when results are off. */
  readonly backend: ResultBackend | undefined
  /** Writes results. */
  readonly codec: ResultCodec | undefined
  readonly execute: Execute
  /** A new connected broker, owned by the worker. */
  openBroker(): Promise<Broker>
  /** How another thread opens the same store as this broker of {@link openBroker}; `undefined` where it cannot. */
  keeperStart(broker: Broker): KeeperStart | undefined
  /** @throws `MessageError` and its kinds when the message is no readable task. */
  readTask(message: Message): TaskMessage
}

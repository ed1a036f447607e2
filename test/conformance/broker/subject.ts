import type { Broker } from '../../../src/broker/contract.js'
import type { ResultBackend } from '../../../src/backend/contract.js'
import type { Runner } from '../check.js'

/** An optional part of the broker contract. A subject lists those it has, and the suite asserts them both ways. */
export type BrokerPart =
  | 'durable'
  | 'delays'
  | 'priorities'
  | 'direct'
  | 'topic'
  | 'fanout'
  | 'headers'
  | 'leases'
  | 'settle'
  | 'queues'
  | 'broadcast'
  | 'schedules'
  | 'expiration'
  | 'clock'

/** A broker to test. */
export interface BrokerSubject {
  /** Title of the suite. */
  readonly name: string
  /** Another instance on the same store, not connected: `guardBroker(createBroker(…))`, as the core would open it. */
  readonly open: () => Broker | Promise<Broker>
  /** Optional parts the driver has. `broadcast` is the contract's `fanout`, `fanout` the exchange type. */
  readonly offers: readonly BrokerPart[]
  /** Parts that the driver has and that its queues with `queueArguments` lack: a type of queue that knows no priorities. */
  readonly queuesLack?: readonly BrokerPart[]
  /** Tests the driver does not pass, by name, each with the reason. */
  readonly exceptions?: Readonly<Record<string, string>>
  /** A result backend on the same store, not connected; needed for `settle`. */
  readonly openResults?: () => ResultBackend | Promise<ResultBackend>
  /**
   * Lease in tests that let one run out, in milliseconds.
   *
   * @defaultValue 400
   */
  readonly leaseMs?: number
  /** Arguments of the queues that the tests declare, as `{ 'x-max-priority': 9 }`. */
  readonly queueArguments?: Readonly<Record<string, unknown>>
  /**
   * Shortest delay in tests that wait for one, in milliseconds: what the store rounds to.
   *
   * @defaultValue 300
   */
  readonly delayMs?: number
  /** Restart the server behind the store; adds a test. */
  readonly restart?: () => Promise<void>
  /**
   * Claim `count` messages of a queue in another process, under a lease of `leaseMs`, and kill that process with
   * SIGKILL; adds a test.
   */
  readonly crash?: (queue: string, count: number, leaseMs: number) => Promise<void>
  /**
   * Functions of the test runner.
   *
   * @defaultValue the global `describe` and `it`
   */
  readonly runner?: Runner
}

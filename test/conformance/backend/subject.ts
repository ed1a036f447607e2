import type { ResultBackend } from '../../../src/backend/contract.js'
import type { Runner } from '../check.js'

/** An optional part of the backend contract. `shared` says that another process, or another instance, reads the records. */
export type BackendPart = 'shared' | 'watch' | 'cleanup' | 'groups' | 'chords'

/** A result backend to test. */
export interface BackendSubject {
  /** Title of the suite. */
  readonly name: string
  /**
   * Another instance on the same store, not connected: `guardBackend(createBackend(…))`, as the core would open it, with
   * a codec for JSON, for example the suite's `jsonCodec`.
   */
  readonly open: () => ResultBackend | Promise<ResultBackend>
  /** Optional parts the driver has. */
  readonly offers: readonly BackendPart[]
  /** Tests the driver does not pass, by name, each with the reason. */
  readonly exceptions?: Readonly<Record<string, string>>
  /**
   * Time to live in tests that let one pass, in milliseconds.
   *
   * @defaultValue 300
   */
  readonly ttlMs?: number
  /** Restart the server behind the store; adds a test. */
  readonly restart?: () => Promise<void>
  /**
   * Functions of the test runner.
   *
   * @defaultValue the global `describe` and `it`
   */
  readonly runner?: Runner
}

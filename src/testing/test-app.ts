import { randomUUID } from 'node:crypto'

import type { LovageOptions } from '../app/app.js'
import type { ConfigInput } from '../config/config.js'
import { Lovage } from '../index.js'
import { recordTasks } from './task-recorder.js'

/**
 * An app for one test: queue and results in memory, under a name that no other test uses, whatever `lovage.config.*` says, and
 * everything it sends and runs noted for {@link assertEnqueued} and {@link waitForTask}.
 *
 * @example
 * ```ts
 * await using app = new TestApp({ taskAcksLate: false }, { clock: new ManualClock() })
 * ```
 */
export class TestApp extends Lovage {
  constructor(input: ConfigInput = {}, options: LovageOptions = {}) {
    const url = `memory://${randomUUID()}`
    super('test', { broker: url, backend: url, ...input }, options)
    // A test does not run on the stores of the settings file.
    this.conf.setSource({ source: 'no settings file', values: new Map(), host: {}, warnings: [] })
    recordTasks(this)
  }
}

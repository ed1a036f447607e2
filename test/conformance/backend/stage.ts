import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { ResultBackend, TaskRecord } from '../../../src/backend/contract.js'
import type { Check } from '../check.js'
import { never } from '../time.js'
import type { BackendPart, BackendSubject } from './subject.js'

/** What a test may need: parts of the contract, and hooks of the subject. */
export type BackendNeed = BackendPart | 'restart'

/** A test of the backend contract. */
export type BackendCheck = Check<BackendStage, BackendNeed>

/** A list of tests, whose stages get their type here. */
export function backendChecks(list: readonly BackendCheck[]): readonly BackendCheck[] {
  return list
}

/** A connected backend, and everything a test opens beside it, closed at its end. */
export class BackendStage {
  readonly subject: BackendSubject
  readonly backend: ResultBackend
  readonly #opened: ResultBackend[]

  private constructor(subject: BackendSubject, backend: ResultBackend) {
    this.subject = subject
    this.backend = backend
    this.#opened = [backend]
  }

  /** Run one test on a stage of its own. */
  static async run(subject: BackendSubject, test: (stage: BackendStage) => Promise<void>): Promise<void> {
    const backend = await subject.open()
    const stage = new BackendStage(subject, backend)
    try {
      await backend.connect(never)
      await test(stage)
    } finally {
      await Promise.allSettled(stage.#opened.map((one) => one.close()))
    }
  }

  /** Time to live of tests that let one pass, in milliseconds. */
  get ttlMs(): number {
    return this.subject.ttlMs ?? 300
  }

  /** Another connected instance on the same store. */
  async open(): Promise<ResultBackend> {
    const backend = await this.subject.open()
    this.#opened.push(backend)
    await backend.connect(never)
    return backend
  }

  /** Keep records until forgotten. */
  async store(...records: readonly TaskRecord[]): Promise<void> {
    await this.backend.store(records, { ttlMs: 0 })
  }

  /** The record of one task. */
  async load(taskId: string, backend: ResultBackend = this.backend): Promise<TaskRecord | undefined> {
    return (await backend.load([taskId])).get(taskId)
  }
}

/** A task id nobody else uses. */
export function newId(): string {
  return randomUUID()
}

/** A record as the core stores it. */
export function toRecord(taskId: string, fields: Partial<TaskRecord> = {}): TaskRecord {
  return { taskId, state: 'SUCCESS', result: 3, children: [], doneAtMs: 1_760_000_000_123, ...fields }
}

/** A part that the subject says it offers. */
export function present<Part>(part: Part | undefined): Part {
  assert.ok(part !== undefined, 'the subject says it offers this part')
  return part
}

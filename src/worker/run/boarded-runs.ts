import type { ClaimBoard } from '../lease/claim-board.js'
import type { Run } from './run.js'

/** Notes the runs of a worker on its {@link ClaimBoard}, and notices when another thread has taken claims back. */
export class BoardedRuns {
  readonly #board: ClaimBoard
  /** A fetch that was under way when claims were taken back may bring some of them. */
  #isNextBatchTakenBack = false

  constructor(board: ClaimBoard) {
    this.#board = board
  }

  /** A run waits for its start. */
  add(run: Run): void {
    if (!this.#board.isWatched) return
    const { task, id } = run.request
    run.slot = this.#board.add({
      tag: run.delivery.tag,
      name: `${task}[${id}]`,
      hardLimitMs: run.hardLimitMs,
    })
  }

  /** A run starts. @returns `false` when it must not, nor anything else that waits: other workers may have it by now. */
  start({ slot }: Run): boolean {
    if (slot === undefined || this.#board.start(slot)) return true
    this.#board.noticed()
    this.#isNextBatchTakenBack = true
    return false
  }

  /** Whether what a fetch has brought, and what waits, was taken back meanwhile. */
  areTakenBack(): boolean {
    const are = this.#isNextBatchTakenBack || this.#board.isTakenBack
    this.#isNextBatchTakenBack = false
    if (are) this.#board.noticed()
    return are
  }

  /** Call a body: until it first waits, nothing else of this thread runs. */
  current<Value>({ slot }: Run, call: () => Value): Value {
    if (slot === undefined) return call()
    this.#board.setCurrent(slot)
    try {
      return call()
    } finally {
      this.#board.setCurrent(-1)
    }
  }

  /** A body has ended. */
  end({ slot }: Run): void {
    if (slot !== undefined) this.#board.end(slot)
  }

  /** The claim of a run is over. */
  remove(run: Run): void {
    if (run.slot === undefined) return
    this.#board.remove(run.slot)
    run.slot = undefined
  }
}

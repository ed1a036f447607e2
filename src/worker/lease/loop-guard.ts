import type { BoardView, RunningBody } from './claim-board.js'

/** How long the event loop may stand still before what has not started goes back, in milliseconds. */
const TAKE_BACK_MS = 2_000
/** How far past its hard limit a body may block the event loop, in milliseconds. */
const PAST_LIMIT_MS = 5_000
/** How often the loop is looked at, in milliseconds. */
export const LOOK_EVERY_MS = 500

/** What a {@link LoopGuard} works with. */
export interface LoopGuardParts {
  readonly view: () => BoardView
  readonly nowMs: () => number
  /** How long the event loop may stand still, in milliseconds. */
  readonly limitMs: number
  /** Give back what has not started. */
  readonly takeBack: () => void
  /** End the process, which nothing else can end. */
  readonly end: (reason: string) => void
}

/**
 * Watches the worker's event loop from another thread: a body that never yields keeps every timer and signal from its turn,
 * so that neither its time limit nor SIGTERM can end it.
 *
 * What has not started is given back first. The process is ended when whatever may block the loop is past its hard limit, or
 * the loop stands still for too long.
 */
export class LoopGuard {
  readonly #parts: LoopGuardParts
  #isTakenBack = false

  constructor(parts: LoopGuardParts) {
    this.#parts = parts
  }

  /** Look at the loop. */
  look(): void {
    const { view, nowMs, limitMs, takeBack, end } = this.#parts
    const { beatMs, running, current } = view()
    const now = nowMs()
    const blockedMs = running.length === 0 ? 0 : now - beatMs
    if (blockedMs < TAKE_BACK_MS) {
      this.#isTakenBack = false
      return
    }
    if (!this.#isTakenBack) takeBack()
    this.#isTakenBack = true
    const blockers = current === undefined ? running : [current]
    const arePastLimit = blockers.every((body) => isPastLimit(body, now))
    if (blockedMs < limitMs && !(arePastLimit && blockedMs >= PAST_LIMIT_MS)) return
    const names = blockers.map(({ name }) => name).join(', ')
    const why = arePastLimit ? 'past the time limit' : 'for as long as blockedLoopLimit allows'
    end(`the event loop was blocked for ${(blockedMs / 1000).toFixed(1)} s, ${why}, by: ${names}`)
  }
}

function isPastLimit({ startedMs, hardLimitMs }: RunningBody, nowMs: number): boolean {
  return hardLimitMs !== undefined && nowMs - startedMs >= hardLimitMs + PAST_LIMIT_MS
}

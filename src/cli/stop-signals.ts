/** A signal that ends a process. */
export type StopSignal = 'SIGTERM' | 'SIGINT' | 'SIGQUIT'

/** What is done as signals come. */
export interface StopSteps {
  /** The first signal: let running tasks end. */
  readonly warm: (signal: StopSignal) => void
  /** The second one, or SIGQUIT at any time: give running tasks back at once. */
  readonly cold: (signal: StopSignal) => void
  /** The third: nothing is waited for. */
  readonly now: (signal: StopSignal) => void
}

/** Ctrl-C under npm reaches the process twice: from the terminal and from npm. */
const SAME_PRESS_MS = 200

const SIGNALS: readonly StopSignal[] = ['SIGTERM', 'SIGINT', 'SIGQUIT']

/**
 * Turn the signals of this process into steps that each happen once.
 *
 * @returns Takes the handlers away again.
 */
export function onStopSignals(steps: StopSteps): () => void {
  let stage = 0
  let lastMs = Number.NEGATIVE_INFINITY
  const listener = (name: NodeJS.Signals): void => {
    const signal = SIGNALS.find((known) => known === name)
    if (signal === undefined) return
    const nowMs = performance.now()
    const isSamePress = signal === 'SIGINT' && nowMs - lastMs < SAME_PRESS_MS
    lastMs = nowMs
    if (isSamePress) return
    stage = signal === 'SIGQUIT' ? Math.max(stage + 1, 2) : stage + 1
    const step = stage === 1 ? steps.warm : stage === 2 ? steps.cold : steps.now
    step(signal)
  }
  for (const signal of SIGNALS) process.on(signal, listener)
  return () => {
    for (const signal of SIGNALS) process.off(signal, listener)
  }
}

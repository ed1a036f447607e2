import type { BrokerError } from '../../src/errors/errors.js'
import type { Outcomes } from './batches.js'
import type { Received } from './received.js'

/** What became of claims: done, over already, or neither because of a failure. */
export interface Ended {
  readonly done: ReadonlySet<Received>
  readonly stale: ReadonlySet<Received>
  readonly failure: BrokerError | undefined
}

/** Sort claims by what the service answered; one that it answered nothing for had nothing to end. */
export function toEnded(claims: readonly Received[], outcomes: Outcomes<Received>): Ended {
  const done = new Set<Received>()
  const stale = new Set<Received>()
  let failure: BrokerError | undefined
  for (const claim of claims) {
    const found = outcomes.get(claim)
    if (found === undefined) done.add(claim)
    else if (found.kind === 'stale' || found.kind === 'missing') stale.add(claim)
    else failure ??= found.toBrokerError()
  }
  return { done, stale, failure }
}

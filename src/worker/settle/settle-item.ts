import type { Delivery, QueueSpec, Settlement } from '../../broker/contract.js'

/** How far a settlement got where it takes several steps; a repeated try goes on from there. */
export type SettleStage = 'new' | 'published' | 'stored'

/** The claims that a settlement ends one of, as far as its writing needs them. */
export interface ItemClaims {
  /** Writes the ends of these claims. */
  readonly settler: { add(item: SettleItem): void }
  /** The claim was settled, lost or dropped. */
  release(tag: string): void
}

/** One settlement on its way to the store. */
export interface SettleItem {
  readonly delivery: Delivery
  readonly claims: ItemClaims
  readonly settlement: Settlement
  /** Whether the message is acknowledged already, so that only messages and result are left to write. */
  readonly acked: boolean
  /** A queue that has to exist before the settlement is applied. */
  readonly declares: QueueSpec | undefined
  /** Written by the settler. */
  stage: SettleStage
  /** Called once: the settlement was applied, or its claim is lost and nothing was. */
  settled(applied: boolean): void
  /** Called in place of {@link settled} when the store refuses this settlement whatever the connection's state. */
  refused(error: Error): void
}

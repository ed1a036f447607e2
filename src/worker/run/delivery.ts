import type { Delivery, QueueSpec, Settlement } from '../../broker/contract.js'
import type { ClaimSet } from '../claim/claim-set.js'
import type { SettleItem, SettleStage } from '../settle/settle-item.js'

/**
 * Where a claimed delivery is. See `docs/internals/worker-states.md`.
 *
 * - `refused`: settled without a run, on its way to the store.
 * - `buffered`: waits for a slot.
 * - `acknowledging`: has a slot; the body starts when the store has confirmed the early acknowledgement.
 * - `running`: its body runs, or STARTED is being stored before.
 * - `interrupted`: the body was asked to end; anything but a success goes back to the queue.
 * - `deciding`: the body ended, and what follows it is prepared.
 * - `settling`: its outcome is on its way to the store.
 * - `unclaimed`: its claim ended with the connection before the outcome was written; its message may come back here.
 * - `handing-back`: given back, on its way to the store.
 */
export type DeliveryState =
  | 'refused'
  | 'buffered'
  | 'acknowledging'
  | 'running'
  | 'interrupted'
  | 'deciding'
  | 'settling'
  | 'unclaimed'
  | 'handing-back'
  | DeliveryEnd

/** `done`: the store took its settlement; `lost`: another worker has it, or its outcome is ignored. */
export type DeliveryEnd = 'done' | 'handed-back' | 'lost'

/** The states that may follow a state. */
export const NEXT_STATES: Readonly<Record<DeliveryState, readonly DeliveryState[]>> = {
  refused: ['done', 'lost'],
  buffered: ['running', 'acknowledging', 'handing-back', 'lost'],
  acknowledging: ['running', 'handing-back', 'lost'],
  running: ['deciding', 'interrupted', 'handing-back', 'lost'],
  interrupted: ['deciding', 'handing-back', 'lost'],
  deciding: ['settling'],
  settling: ['done', 'unclaimed', 'lost'],
  unclaimed: ['settling', 'lost'],
  'handing-back': ['handed-back', 'lost'],
  done: [],
  'handed-back': [],
  lost: [],
}

/** States in which a task that acknowledges early is acknowledged. */
const ACKNOWLEDGED: ReadonlySet<DeliveryState> = new Set(['running', 'deciding', 'settling', 'done'])

/** A delivery was to take a step that its state does not allow: a fault of the worker. */
export class DeliveryStateError extends Error {
  constructor(tag: string, from: DeliveryState, to: DeliveryState) {
    super(`delivery ${tag} cannot become ${to}: it is ${from}`)
    this.name = 'DeliveryStateError'
  }
}

/** Learns what became of a settlement. */
export interface DeliveryOwner {
  /** It was applied, or will never be. */
  settled(item: ClaimedDelivery, applied: boolean): void
  /** The store refused it for good; another one may be set and added. */
  refused(item: ClaimedDelivery, error: Error): void
}

const NOTHING: readonly never[] = []

/** One claimed delivery, in one state, until its one end. It is its own entry in the settler's batch. */
export class ClaimedDelivery implements SettleItem {
  delivery: Delivery
  claims: ClaimSet
  settlement: Settlement
  declares: QueueSpec | undefined
  /** How far the present settlement got. */
  stage: SettleStage = 'new'
  /** How often the store refused a settlement of it. */
  refusals = 0
  /** Whether a dead letter of it is in its queue, though the settlement was refused. */
  isSetAside = false
  #state: DeliveryState
  readonly #owner: DeliveryOwner
  readonly #acksEarly: boolean

  constructor(
    { delivery, claims }: Pick<ClaimedDelivery, 'delivery' | 'claims'>,
    state: 'refused' | 'buffered',
    owner: DeliveryOwner,
    acksEarly = false,
  ) {
    this.delivery = delivery
    this.claims = claims
    this.settlement = { delivery, publish: NOTHING }
    this.#state = state
    this.#owner = owner
    this.#acksEarly = acksEarly
  }

  get state(): DeliveryState {
    return this.#state
  }

  /** Whether the message was acknowledged before its body started. */
  get acked(): boolean {
    return this.#acksEarly && ACKNOWLEDGED.has(this.#state)
  }

  /** Take a step. @throws {@link DeliveryStateError} for one that its state does not allow. */
  become(state: DeliveryState): void {
    if (!NEXT_STATES[this.#state].includes(state))
      throw new DeliveryStateError(this.delivery.tag, this.#state, state)
    this.#state = state
  }

  settled(applied: boolean): void {
    this.#owner.settled(this, applied)
  }

  refused(error: Error): void {
    this.#owner.refused(this, error)
  }
}

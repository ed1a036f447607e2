import type { Broker } from '../../broker/contract.js'
import type { WorkerHost } from '../host.js'
import type { LeaseKeeper } from '../../broker/lease-keeper.js'
import type { ClaimBoard } from '../lease/claim-board.js'
import { openKeeper } from '../lease/open-keeper.js'
import type { ConsumerSessionParts } from './consumer-session.js'
import type { SettleItem } from '../settle/settle-item.js'
import type { Settler } from '../settle/settler.js'
import type { WorkerSettings } from '../settings.js'

/** Writes settlements that need no claim. */
type ClaimlessWriter = Pick<Settler, 'add' | 'isDead'>

/** The keeper of one store, and whose claims it renews. */
interface StoreKeeper {
  readonly keeper: LeaseKeeper
  readonly holders: Set<string>
}

/** What outlives a session: the keepers, and settlements whose connection is gone. */
export class SharedKeepers {
  readonly #host: Pick<WorkerHost, 'keeperStart' | 'clock' | 'logger'>
  readonly #settings: Pick<WorkerSettings, 'leaseMs' | 'blockedLoopLimitMs'>
  readonly #board: ClaimBoard
  readonly #open: typeof openKeeper
  /** One for each store: the claims of a lost session are renewed where they are, although the next is elsewhere. */
  readonly #keepers = new Map<string, StoreKeeper>()
  readonly #ending = new Set<Promise<void>>()
  /** Where the last session is. */
  #store = ''
  #orphans: SettleItem[] = []
  #present: ClaimlessWriter | undefined

  /** @param board - The claims, for keepers to watch. @param open - Opens keepers; replaced in tests. */
  constructor(
    host: Pick<WorkerHost, 'keeperStart' | 'clock' | 'logger'>,
    settings: Pick<WorkerSettings, 'leaseMs' | 'blockedLoopLimitMs'>,
    board: ClaimBoard,
    open: typeof openKeeper = openKeeper,
  ) {
    this.#host = host
    this.#settings = settings
    this.#board = board
    this.#open = open
  }

  /** The shared parts of a session on this broker. */
  partsFor(broker: Broker): Pick<ConsumerSessionParts, 'keeper' | 'orphaned'> {
    const { clock, logger } = this.#host
    const start = this.#host.keeperStart(broker)
    this.#store = `${broker.name} ${start?.brokerUrl ?? ''}`
    const { leaseMs, blockedLoopLimitMs } = this.#settings
    const board = this.#board
    const present = this.#keepers.get(this.#store) ?? {
      keeper: this.#open({ broker, start, leaseMs, board, blockedLoopLimitMs, clock, logger }),
      holders: new Set<string>(),
    }
    this.#keepers.set(this.#store, present)
    this.#endIdle()
    return { keeper: this.#counted(present), orphaned: (item) => this.#orphaned(item) }
  }

  /** Let a new session write what the old ones could not, and what they still hand over. */
  writeClaimlessTo(settler: ClaimlessWriter): void {
    this.#present = settler
    const orphans = this.#orphans
    this.#orphans = []
    for (const item of orphans) settler.add(item)
  }

  /** End every keeper. */
  async stopKeeper(): Promise<void> {
    await Promise.all([...this.#keepers.values()].map(({ keeper }) => keeper.stop()))
    await Promise.all(this.#ending)
  }

  #orphaned(item: SettleItem): void {
    if (this.#present === undefined || this.#present.isDead) this.#orphans.push(item)
    else this.#present.add(item)
  }

  #counted({ keeper, holders }: StoreKeeper): LeaseKeeper {
    return {
      hold: (lease) => {
        holders.add(lease.holder)
        keeper.hold(lease)
      },
      changed: (holder, change) => keeper.changed(holder, change),
      reconcile: (holder, tags) => keeper.reconcile(holder, tags),
      release: (holder) => {
        holders.delete(holder)
        keeper.release(holder)
        this.#endIdle()
      },
      stop: () => keeper.stop(),
    }
  }

  /** A keeper of a store that no session uses any more keeps a thread and perhaps a connection. */
  #endIdle(): void {
    for (const [store, { keeper, holders }] of this.#keepers) {
      if (store === this.#store || holders.size > 0) continue
      this.#keepers.delete(store)
      const ending = keeper.stop().finally(() => this.#ending.delete(ending))
      this.#ending.add(ending)
    }
  }
}

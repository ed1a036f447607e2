import { isRecord } from '../../util/record.js'
import type { TagChange } from '../../broker/lease-keeper.js'

/** What the keeper's thread is started with. Plain data. */
export interface KeeperStart {
  /** URL of the module that exports `createBroker`. */
  readonly moduleUrl: string
  /** The broker's URL as it was written. */
  readonly brokerUrl: string
  /** Whether the driver's name was taken off the scheme (`postgresql+psycopg2`). */
  readonly hasDriverSuffix: boolean
  readonly transportOptions: Readonly<Record<string, unknown>>
  readonly leaseMs: number
  /** The claims of the worker, to watch its event loop. */
  readonly board?: BoardStart
}

/** What the thread needs to watch the worker's event loop. */
export interface BoardStart {
  readonly memory: SharedArrayBuffer
  /** How long the event loop may stand still, in milliseconds. */
  readonly limitMs: number
}

/** What the worker tells the keeper's thread. */
export type ToKeeper =
  | { readonly kind: 'hold'; readonly holder: string }
  | { readonly kind: 'release'; readonly holder: string }
  | ({ readonly kind: 'tags'; readonly holder: string } & TagChange)
  | { readonly kind: 'reconcile'; readonly holder: string; readonly tags: readonly string[] }
  | { readonly kind: 'stop' }

/** What the keeper's thread tells the worker. */
export type FromKeeper =
  | { readonly kind: 'ready' }
  | { readonly kind: 'lost'; readonly holder: string; readonly tags: readonly string[] | undefined }
  | { readonly kind: 'trouble'; readonly message: string; readonly nextMs: number }

/** Whether this is a message of {@link ToKeeper}; threads of one package need no deeper check. */
export function isToKeeper(value: unknown): value is ToKeeper {
  return isRecord(value) && typeof value['kind'] === 'string'
}

/** Whether this is a message of {@link FromKeeper}. */
export function isFromKeeper(value: unknown): value is FromKeeper {
  return isRecord(value) && typeof value['kind'] === 'string'
}

/** Whether this is what a keeper's thread is started with. */
export function isKeeperStart(value: unknown): value is KeeperStart {
  return isRecord(value) && typeof value['moduleUrl'] === 'string' && typeof value['leaseMs'] === 'number'
}

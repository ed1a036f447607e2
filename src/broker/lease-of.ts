import { BrokerError } from '../errors/errors.js'
import type { Broker, Consumer, Leases } from './contract.js'

/** How the claims of one consumer are renewed. */
export interface Lease {
  readonly leases: Leases
  /** Names the consumer to `leases`. */
  readonly holder: string
}

/** The lease of a consumer's claims; `undefined` where they last as long as the connection. */
export function leaseOf(broker: Broker, { holder }: Consumer): Lease | undefined {
  const { capabilities, leases, name } = broker
  if (capabilities.claims === 'connection') return undefined
  if (leases === undefined || holder === undefined) {
    throw new BrokerError(`broker "${name}" has leased claims, and nothing to renew them by`)
  }
  return { leases, holder }
}

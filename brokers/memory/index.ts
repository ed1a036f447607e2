import type { ConnectionUrl } from '../../src/broker/connection-url.js'
import type { Broker } from '../../src/broker/contract.js'
import { booleanOption, driverOptions } from '../../src/broker/driver-options.js'
import type { BrokerOptions } from '../../src/broker/registry.js'
import { MemoryBroker } from './broker.js'
import { memoryStore } from './stores.js'

/** Lovage's own option, then those of kombu's memory transport, which have nothing to steer here. */
const KNOWN_OPTIONS = ['leases', 'polling_interval', 'visibility_timeout', 'priority_steps']

/** `memory://` or `memory://name`; the option `leases` makes claims run out. */
export function createBroker(url: ConnectionUrl, options: BrokerOptions): Broker {
  const own = driverOptions(url, options.transportOptions, KNOWN_OPTIONS)
  return new MemoryBroker(memoryStore(url, options.clock), { leases: booleanOption(own, 'leases', false) })
}

import type { BackendDriver } from '../backend/registry.js'
import type { BrokerDriver } from '../broker/registry.js'
import { append } from '../util/long-list.js'

/** The drivers that every new app can open. */
export const builtInDrivers: { readonly brokers: BrokerDriver[]; readonly backends: BackendDriver[] } = {
  brokers: [],
  backends: [],
}

/** Called once by the package's entry, the only place where the core and the drivers meet. */
export function addBuiltInDrivers(
  brokers: readonly BrokerDriver[],
  backends: readonly BackendDriver[],
): void {
  append(builtInDrivers.brokers, brokers)
  append(builtInDrivers.backends, backends)
}

import { memoryStore } from '../../brokers/memory/stores.js'
import type { ResultBackend } from '../../src/backend/contract.js'
import type { BackendOptions } from '../../src/backend/registry.js'
import type { ConnectionUrl } from '../../src/broker/connection-url.js'
import { driverOptions } from '../../src/broker/driver-options.js'
import { MemoryBackend } from './backend.js'

/** `memory://`, `memory://name` or `cache+memory://`: the store that the broker of the same URL uses. */
export function createBackend(url: ConnectionUrl, options: BackendOptions): ResultBackend {
  driverOptions(url, options.transportOptions, ['leases'])
  return new MemoryBackend(memoryStore(url, options.clock).results, options.codec)
}

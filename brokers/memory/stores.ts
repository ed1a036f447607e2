import type { ConnectionUrl } from '../../src/broker/connection-url.js'
import { systemClock } from '../../src/util/clock.js'
import type { Clock } from '../../src/util/clock.js'
import { MemoryStore } from './store.js'

// A test that moves its own clock gets stores of its own, so that no other test waits on that clock.
const storesByClock = new WeakMap<Clock, Map<string, MemoryStore>>()

/** The store that a URL names: `memory://` is one, each `memory://name` another, for the life of the process. */
export function memoryStore(url: ConnectionUrl, clock: Clock = systemClock): MemoryStore {
  const name = `${url.host}/${url.path}`
  const stores = storesByClock.get(clock) ?? new Map<string, MemoryStore>()
  storesByClock.set(clock, stores)
  const store = stores.get(name) ?? new MemoryStore(clock)
  stores.set(name, store)
  return store
}

import type { BrokerFactory } from '../../src/broker/registry.js'
import { RedisBroker } from './broker.js'
import { readSettings } from './settings.js'

/** Opens `redis://`, `rediss://`, `redis+socket://` and `sentinel://`. */
export const createBroker: BrokerFactory = (url, options) =>
  new RedisBroker(readSettings(url, options.transportOptions))

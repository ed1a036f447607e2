import type { BrokerFactory } from '../../src/broker/registry.js'
import { MongoBroker } from './broker.js'
import { readSettings } from './settings.js'

/** Opens `mongodb://` and `mongodb+srv://`. */
export const createBroker: BrokerFactory = (url, options) =>
  new MongoBroker(readSettings(url, options.transportOptions))

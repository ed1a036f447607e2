import type { BrokerFactory } from '../../src/broker/registry.js'
import { SqsBroker } from './broker.js'
import { readSettings } from './settings.js'

/** Opens `sqs://`. */
export const createBroker: BrokerFactory = (url, options) =>
  new SqsBroker(readSettings(url, options.transportOptions))

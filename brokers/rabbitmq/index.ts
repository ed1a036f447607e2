import type { BrokerFactory } from '../../src/broker/registry.js'
import { RabbitBroker } from './broker.js'
import { readSettings } from './settings.js'

/** Opens `amqp://`, `amqps://` and `pyamqp://`. */
export const createBroker: BrokerFactory = (url, options) =>
  new RabbitBroker(readSettings(url, options.transportOptions))

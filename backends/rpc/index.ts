import { booleanOption, driverOptions } from '../../src/broker/driver-options.js'
import type { BackendFactory } from '../../src/backend/registry.js'
import { ConfigError } from '../../src/errors/errors.js'
import { systemClock } from '../../src/util/clock.js'
import { RpcBackend } from './backend.js'

/** Opens `rpc://`: results travel over the broker of the application. */
export const createBackend: BackendFactory = (
  url,
  { transportOptions, codec, clock = systemClock, openBroker },
) => {
  const options = driverOptions(url, transportOptions, ['result_persistent'])
  if (openBroker === undefined) {
    throw new ConfigError(
      'the backend "rpc" sends results over the broker of an application, and there is none',
    )
  }
  return new RpcBackend({
    codec,
    clock,
    openBroker,
    persistent: booleanOption(options, 'result_persistent', false),
  })
}

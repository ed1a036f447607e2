import type { BackendFactory } from '../../src/backend/registry.js'
import { RedisBackend } from './backend.js'
import { readBackendSettings } from './backend-settings.js'

/** Opens `redis://`, `rediss://`, `redis+socket://` and `sentinel://`. */
export const createBackend: BackendFactory = (url, options) =>
  new RedisBackend(readBackendSettings(url, options.transportOptions, options))

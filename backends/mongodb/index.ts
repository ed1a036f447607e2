import type { BackendFactory } from '../../src/backend/registry.js'
import { MongoBackend } from './backend.js'
import { readBackendSettings } from './backend-settings.js'

/** Opens `mongodb://` and `mongodb+srv://`. */
export const createBackend: BackendFactory = (url, options) =>
  new MongoBackend(readBackendSettings(url, options.transportOptions, options))

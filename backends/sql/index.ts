import type { BackendFactory } from '../../src/backend/registry.js'
import { parseTarget } from '../../brokers/sql/target.js'
import { SqlBackend } from './backend.js'

/** Opens `sqlite:///…` and `db+sqlite:///…`. */
export const createBackend: BackendFactory = (url, options) =>
  new SqlBackend(parseTarget(url, options.transportOptions), {
    codec: options.codec,
    autoMigrate: options.autoMigrate ?? true,
  })

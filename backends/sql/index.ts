import type { BackendFactory } from '../../src/backend/registry.js'
import { parseTarget } from '../../brokers/sql/target.js'
import { SqlBackend } from './backend.js'

/** Opens `sqlite:///…`, `postgresql://…`, `mysql://…`, and the same with `db+` before them. */
export const createBackend: BackendFactory = (url, options) =>
  new SqlBackend(parseTarget(url, options.transportOptions), {
    codec: options.codec,
    autoMigrate: options.autoMigrate ?? true,
  })

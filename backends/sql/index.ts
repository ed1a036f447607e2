import type { BackendFactory } from '../../src/backend/registry.js'
import { targetOf } from '../../brokers/sql/target.js'
import { SqlBackend } from './backend.js'

/** Opens `sqlite:///…`, `postgresql://…`, `mysql://…`, and the same with `db+` before them. */
export const createBackend: BackendFactory = (url, options) =>
  new SqlBackend(targetOf(url, options), {
    codec: options.codec,
    autoMigrate: options.autoMigrate ?? true,
  })

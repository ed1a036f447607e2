import type { BackendFactory } from '../../src/backend/registry.js'
import { settingsOf } from '../../brokers/sql/settings/database-settings.js'
import { SqlBackend } from './backend.js'

/** Opens `sqlite:///…`, `postgresql://…`, `mysql://…`, and the same with `db+` before them. */
export const createBackend: BackendFactory = (url, options) =>
  new SqlBackend(settingsOf(url, options), {
    codec: options.codec,
    autoMigrate: options.autoMigrate ?? true,
  })

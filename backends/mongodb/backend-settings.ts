import type { ConnectionUrl } from '../../src/broker/connection-url.js'
import type { BackendOptions } from '../../src/backend/registry.js'
import type { ResultCompressor } from '../../src/message/compression/compressed-result.js'
import type { ResultCodec } from '../../src/message/result-codec.js'
import { readTarget, textOption } from '../../brokers/mongodb/settings.js'
import type { MongoTarget } from '../../brokers/mongodb/settings.js'

/** A backend's URL and options, read. */
export interface MongoBackendSettings {
  readonly target: MongoTarget
  readonly taskmeta: string
  readonly groupmeta: string
  readonly codec: ResultCodec
  readonly compress: ResultCompressor | undefined
}

/** Celery's options of the backend; some have nothing to steer here. */
const OPTIONS: readonly string[] = [
  'taskmeta_collection',
  'groupmeta_collection',
  'database',
  'max_pool_size',
  'options',
  'retry_policy',
]

/** Read the settings of a backend. @throws `ConfigError` for an unknown option or a value that does not fit. */
export function readBackendSettings(
  url: ConnectionUrl,
  transportOptions: Readonly<Record<string, unknown>> | undefined,
  { codec, compress }: Pick<BackendOptions, 'codec' | 'compress'>,
): MongoBackendSettings {
  const { options, target } = readTarget(url, transportOptions, { known: OPTIONS, database: 'celery' })
  return {
    target: { ...target, database: textOption(options, 'database') ?? target.database },
    taskmeta: textOption(options, 'taskmeta_collection') ?? 'celery_taskmeta',
    groupmeta: textOption(options, 'groupmeta_collection') ?? 'celery_groupmeta',
    codec,
    compress,
  }
}

import type { ResultCodec } from '../../src/backend/contract.js'
import type { BackendOptions } from '../../src/backend/registry.js'
import type { ConnectionUrl } from '../../src/broker/connection-url.js'
import type { ResultCompressor } from '../../src/message/compression/compressed-result.js'
import { keyPrefix, readOptions, readServer, textOption } from '../../brokers/redis/target.js'
import type { ServerTarget } from '../../brokers/redis/target.js'

/** How the backend behaves. */
export interface RedisBackendSettings {
  readonly target: ServerTarget
  /** Put before every key and channel. */
  readonly prefix: string
  readonly codec: ResultCodec
  /** Compresses what is stored, where that is asked for. */
  readonly compress: ResultCompressor | undefined
}

/** Celery's options of the backend; some have nothing to steer here. */
const OPTIONS: readonly string[] = [
  'global_keyprefix',
  'result_chord_ordered',
  'retry_policy',
  'visibility_timeout',
  'additional_connection_errors',
]

/** Read the settings of a backend. @throws `ConfigError` for an unknown option or a value that does not fit. */
export function readBackendSettings(
  url: ConnectionUrl,
  transportOptions: Readonly<Record<string, unknown>> | undefined,
  { codec, compress }: Pick<BackendOptions, 'codec' | 'compress'>,
): RedisBackendSettings {
  const options = readOptions(url, transportOptions, OPTIONS)
  const prefix = keyPrefix(url, withEnd(textOption(options, 'global_keyprefix') ?? ''))
  return { target: readServer(url, options, prefix), prefix, codec, compress }
}

/** @source Celery 5.7, `celery/backends/base.py`, `KeyValueStoreBackend._add_global_keyprefix`. */
function withEnd(prefix: string): string {
  return prefix === '' || /[:_.-]$/.test(prefix) ? prefix : `${prefix}_`
}

import { ConfigError } from '../../src/errors/errors.js'
import { isRecord } from '../../src/util/record.js'

/** A queue that exists already, with access of its own where that is given. */
export interface PredefinedQueue {
  readonly url: string
  readonly region: string | undefined
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined
}

/**
 * Read the option `predefined_queues`, an object or JSON in a URL's query.
 *
 * @throws {@link ConfigError} for an entry without `url`, and where only one of name and URL ends in `.fifo`.
 * @source kombu 5.7, `kombu/transport/SQS`, `Channel._validate_predifined_queues`.
 */
export function readPredefined(value: unknown): ReadonlyMap<string, PredefinedQueue> {
  const given = typeof value === 'string' ? fromJson(value) : value
  if (given === undefined || given === null) return new Map()
  if (!isRecord(given)) throw new ConfigError('expected option "predefined_queues" to be queues by name')
  return new Map(Object.entries(given).map(([name, queue]) => [name, readQueue(name, queue)]))
}

function readQueue(name: string, queue: unknown): PredefinedQueue {
  const fields = isRecord(queue) ? queue : {}
  const { url, region, access_key_id: accessKeyId, secret_access_key: secretAccessKey } = fields
  if (typeof url !== 'string') throw new ConfigError(`predefined queue "${name}" has no url`)
  if (url.endsWith('.fifo') !== name.endsWith('.fifo')) {
    throw new ConfigError(`predefined queue "${name}": name and url must both end in .fifo, or neither`)
  }
  const hasKeys = typeof accessKeyId === 'string' && typeof secretAccessKey === 'string'
  return {
    url,
    region: typeof region === 'string' ? region : undefined,
    keys: hasKeys ? { accessKeyId, secretAccessKey } : undefined,
  }
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ConfigError('expected option "predefined_queues" to be JSON', { cause })
  }
}

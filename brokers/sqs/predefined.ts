import { ConfigError } from '../../src/errors/errors.js'
import { isRecord } from '../../src/util/record.js'
import { textsOption } from './option-forms.js'

/** Longest that the service hides a message, in seconds. */
const HIDDEN = 43_200

/** A queue that exists already, with access of its own where that is given. */
export interface PredefinedQueue {
  readonly url: string
  readonly region: string | undefined
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined
  readonly backoff: Backoff | undefined
}

/** How long messages of some tasks stay hidden when they are given back. */
export interface Backoff {
  readonly tasks: ReadonlySet<string>
  /** Seconds, by how often the service handed the message out. */
  readonly seconds: ReadonlyMap<number, number>
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
    backoff: readBackoff(name, fields),
  }
}

/** @source kombu 5.7, `kombu/transport/SQS`, `QoS.apply_backoff_policy`: only where both are given. */
function readBackoff(name: string, fields: Readonly<Record<string, unknown>>): Backoff | undefined {
  const { backoff_policy: policy, backoff_tasks: tasks } = fields
  if (policy === undefined || tasks === undefined) return undefined
  const pairs = isRecord(policy) ? Object.entries(policy).map(([key, value]) => [key, value].map(Number)) : []
  const seconds = new Map(pairs.map(([count = NaN, pause = NaN]) => [count, pause]))
  const fits = [...seconds].every(
    ([count, pause]) => Number.isInteger(count) && pause >= 0 && pause <= HIDDEN,
  )
  if (seconds.size === 0 || !fits) {
    throw new ConfigError(
      `predefined queue "${name}": expected backoff_policy to be seconds by receive count, at most ${HIDDEN}`,
    )
  }
  return { tasks: new Set(textsOption(tasks, 'backoff_tasks')), seconds }
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ConfigError('expected option "predefined_queues" to be JSON', { cause })
  }
}

import type { ConnectionUrl } from '../../src/broker/connection-url.js'
import { ConfigError } from '../../src/errors/errors.js'
import type { QueueOrder } from './claimer.js'
import type { FanoutNaming } from './channels.js'
import type { Naming } from './keys.js'
import type { DelayChoice } from './publisher.js'
import { keyPrefix, readOptions, readServer, secondsOption, textOption } from './target.js'
import type { ServerTarget } from './target.js'

/** A broker's URL and transport options, read. */
export interface RedisSettings {
  readonly target: ServerTarget
  readonly naming: Naming
  readonly fanout: FanoutNaming
  readonly delay: DelayChoice
  /** How long a worker of Celery may hold a message before it counts as lost, in milliseconds. */
  readonly visibilityTimeoutMs: number
  readonly order: QueueOrder
}

/** Kombu's options of the transport, and Lovage's `delay`; some have nothing to steer here. */
const OPTIONS: readonly string[] = [
  'visibility_timeout',
  'priority_steps',
  'sep',
  'queue_order_strategy',
  'global_keyprefix',
  'fanout_prefix',
  'fanout_patterns',
  'unacked_key',
  'unacked_index_key',
  'unacked_mutex_key',
  'unacked_mutex_expire',
  'unacked_restore_limit',
  'unacked_restore_interval',
  'unacked_restore_throttle',
  'reauth_check_interval',
  'ack_emulation',
  'polling_interval',
  'body_encoding',
  'deadletter_queue',
  'confirm_publish',
  'delay',
]

const HOUR_MS = 3_600_000

/** Read the settings of a broker. @throws {@link ConfigError} for an unknown option or a value that does not fit. */
export function readSettings(
  url: ConnectionUrl,
  transportOptions: Readonly<Record<string, unknown>> | undefined,
): RedisSettings {
  const options = readOptions(url, transportOptions, OPTIONS)
  const prefix = keyPrefix(url, textOption(options, 'global_keyprefix') ?? '')
  const target = readServer(url, options, prefix)
  return {
    target,
    naming: {
      prefix,
      separator: textOption(options, 'sep') ?? '\u0006\u0016',
      steps: stepsOf(options.get('priority_steps')),
      unackedKey: textOption(options, 'unacked_key') ?? 'unacked',
      unackedIndexKey: textOption(options, 'unacked_index_key') ?? 'unacked_index',
      unackedMutexKey: textOption(options, 'unacked_mutex_key') ?? 'unacked_mutex',
    },
    fanout: {
      prefix: prefix + fanoutPrefix(options.get('fanout_prefix'), target.database),
      hasKeys: isOn(options.get('fanout_patterns')),
    },
    delay: delayOf(options.get('delay')),
    visibilityTimeoutMs: secondsOption(options, 'visibility_timeout') ?? HOUR_MS,
    order: orderOf(options.get('queue_order_strategy')),
  }
}

function orderOf(value: unknown): QueueOrder {
  if (value === undefined || value === null) return 'round_robin'
  if (value === 'round_robin' || value === 'priority' || value === 'sorted') return value
  throw new ConfigError(
    `expected option "queue_order_strategy" to be round_robin, priority or sorted, got: ${JSON.stringify(value)}`,
  )
}

function stepsOf(value: unknown): readonly number[] {
  if (value === undefined || value === null) return [0, 3, 6, 9]
  const list: readonly unknown[] =
    typeof value === 'string' ? value.replace(/[[\]\s]/g, '').split(',') : Array.isArray(value) ? value : []
  const steps = list.map(Number)
  if (steps.length > 0 && steps.every((step) => Number.isInteger(step) && step >= 0 && step <= 9)) {
    return steps.sort((one, other) => one - other)
  }
  throw new ConfigError(
    `expected option "priority_steps" to be numbers from 0 to 9, got: ${JSON.stringify(value)}`,
  )
}

function fanoutPrefix(value: unknown, database: number): string {
  if (value === undefined || value === null || isTrue(value)) return `/${String(database)}.`
  if (value === false || value === 'false' || value === '') return ''
  if (typeof value === 'string') return value.replaceAll('{db}', String(database))
  throw new ConfigError(`expected option "fanout_prefix" to be text or false, got: ${JSON.stringify(value)}`)
}

function isOn(value: unknown): boolean {
  return value === undefined || value === null || isTrue(value)
}

function isTrue(value: unknown): boolean {
  return value === true || value === 'true' || value === '1'
}

function delayOf(value: unknown): DelayChoice {
  if (value === undefined || value === null) return 'auto'
  if (value === 'auto' || value === 'store' || value === 'eta') return value
  throw new ConfigError(`expected option "delay" to be auto, store or eta, got: ${JSON.stringify(value)}`)
}

import { createHash } from 'node:crypto'

/** Start of the names of queues that hold the message of one long claim each. */
export const KEPT_PREFIX = 'lovage-kept-'

const FIFO = '.fifo'
const LONGEST = 80

/**
 * The name of a queue at the service: the prefix, then kombu's translation.
 *
 * A name that the service would still refuse, because it is not ASCII or too long, ends in a hash of itself.
 *
 * @source kombu 5.7, `kombu/transport/SQS`, `Channel.entity_name` and `canonical_queue_name`.
 */
export function serviceName(prefix: string, queue: string): string {
  const whole = prefix + queue
  const suffix = whole.endsWith(FIFO) ? FIFO : ''
  const stem = suffix === '' ? whole : whole.slice(0, -FIFO.length)
  const translated = stem.replaceAll('.', '-').replace(/[!-,/:-@[-^`{-~]/g, '_')
  const legal = translated.replace(/[^A-Za-z0-9_-]/gu, '_')
  if (legal === translated && legal.length + suffix.length <= LONGEST) return legal + suffix
  const hash = createHash('sha256').update(whole).digest('hex').slice(0, 16)
  return `${legal.slice(0, LONGEST - suffix.length - hash.length - 1)}-${hash}${suffix}`
}

/** Whether a queue of this name keeps the order of each group and drops doubles. */
export function isFifoName(queue: string): boolean {
  return queue.endsWith(FIFO)
}

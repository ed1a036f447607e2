/** Names and keys of Celery's native delayed delivery. @source kombu 5.7, `kombu/transport/native_delayed_delivery.py`. */

/** Levels 27 to 0: level n holds a message for 2^n seconds. */
export const TOP_LEVEL = 27

/** The exchange that delayed messages leave by. */
export const DELIVERY_EXCHANGE = 'celery_delayed_delivery'

/** Longest delay, in seconds. */
export const LONGEST_SECONDS: number = 2 ** (TOP_LEVEL + 1) - 1

/** The exchange and the queue of a level. */
export function levelName(level: number): string {
  return `celery_delayed_${String(level)}`
}

/** Whether a message came through the delay queues: it names the level that the last queue handed it to. */
export function isDelayExchange(exchange: string): boolean {
  return exchange.startsWith('celery_delayed_')
}

/** The key that takes a message through the levels: the seconds as binary digits, then the key it leaves with. */
export function delayedKey(seconds: number, key: string): string {
  const digits = seconds.toString(2).padStart(TOP_LEVEL + 1, '0')
  return `${Array.from(digits).join('.')}.${key}`
}

/** Keys of bindings of {@link DELIVERY_EXCHANGE} to a queue: the digits of one delay, or of two, then exactly its name. */
export function leavingPatterns(key: string): readonly string[] {
  const digits = '*.'.repeat(TOP_LEVEL + 1)
  return [digits + key, digits + digits + key]
}

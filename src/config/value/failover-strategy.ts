import { ConfigError } from '../../errors/errors.js'
import { shown } from './shown.js'

/** Puts broker URLs, as they were written, into the order in which they are tried; those left out are not tried. */
export type FailoverOrder = (urls: readonly string[]) => Iterable<string>

/** How the broker to try next is chosen: `round-robin` begins with the one that answered last. */
export type FailoverStrategy = 'round-robin' | 'shuffle' | FailoverOrder

/** Reads a failover strategy. */
export function readFailoverStrategy(value: unknown, name: string): FailoverStrategy {
  if (value === 'round-robin' || value === 'shuffle' || isOrder(value)) return value
  throw new ConfigError(`expected ${name} to be "round-robin", "shuffle" or a function, got: ${shown(value)}`)
}

function isOrder(value: unknown): value is FailoverOrder {
  return typeof value === 'function'
}

import { availableParallelism } from 'node:os'

/** The zone of schedules when none is set: UTC, or the machine's with `enableUtc` off. */
export function timezoneOf(valueOf: (name: string) => unknown): string {
  return valueOf('enableUtc') === false ? Intl.DateTimeFormat().resolvedOptions().timeZone : 'UTC'
}

/** The concurrency that fits the pool: the event loop is shared by 10 tasks, a processor has one task. */
export function concurrencyOf(valueOf: (name: string) => unknown): number {
  const pool = valueOf('workerPool')
  if (pool === 'async') return 10
  return pool === 'solo' ? 1 : availableParallelism()
}

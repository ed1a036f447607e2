/** The zone of schedules when none is set: UTC, or the machine's with `enableUtc` off. */
export function timezoneOf(valueOf: (name: string) => unknown): string {
  return valueOf('enableUtc') === false ? Intl.DateTimeFormat().resolvedOptions().timeZone : 'UTC'
}

/** The concurrency that fits the pool: the event loop is shared by 10 tasks. */
export function concurrencyOf(valueOf: (name: string) => unknown): number {
  return valueOf('workerPool') === 'solo' ? 1 : 10
}

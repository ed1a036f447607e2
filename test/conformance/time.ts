import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'

/** A signal that never aborts. */
export const never: AbortSignal = new AbortController().signal

/** Let time pass on the clock of this machine, which is the store's own or runs as fast. */
export async function passTime(ms: number): Promise<void> {
  await sleep(ms)
}

/** Ask again and again until something is true; fails after `withinMs`. */
export async function eventually(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  withinMs = 5_000,
): Promise<void> {
  const endMs = performance.now() + withinMs
  while (!(await isTrue())) {
    assert.ok(performance.now() < endMs, `not within ${String(withinMs)} ms: ${what}`)
    await sleep(5)
  }
}

/** How long something takes, in milliseconds, and what it resolves with. */
export async function timed<Value>(work: () => Promise<Value>): Promise<{ ms: number; value: Value }> {
  const startMs = performance.now()
  const value = await work()
  return { ms: performance.now() - startMs, value }
}

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'

/** A signal that never aborts. */
export const never: AbortSignal = new AbortController().signal

/** Let time pass on the clock of this machine, which is the store's own or runs as fast. */
export async function passTime(ms: number): Promise<void> {
  await sleep(ms)
}

/** What `look` finds, once that is neither `undefined` nor `false`; fails after `withinMs`. */
export async function eventually<Value>(
  look: () => Value | Promise<Value>,
  withinMs = 10_000,
): Promise<Exclude<Value, undefined | false>> {
  const endMs = performance.now() + withinMs
  for (;;) {
    const found = await look()
    if (isFound(found)) return found
    assert.ok(performance.now() < endMs, `not within ${String(withinMs)} ms: ${String(look)}`)
    await sleep(5)
  }
}

function isFound<Value>(found: Value): found is Exclude<Value, undefined | false> {
  return found !== undefined && found !== false
}

/** How long something takes, in milliseconds, and what it resolves with. */
export async function timed<Value>(work: () => Promise<Value>): Promise<{ ms: number; value: Value }> {
  const startMs = performance.now()
  const value = await work()
  return { ms: performance.now() - startMs, value }
}

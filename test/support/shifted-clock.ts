import { fileURLToPath } from 'node:url'

const VARIABLE = 'LOVAGE_TEST_AHEAD_MS'

/** Variables of a Node process whose clock, as JavaScript sees it, is ahead of the machine's. */
export function shiftedClock(aheadMs: number): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: `--import=${fileURLToPath(import.meta.url)}`, [VARIABLE]: String(aheadMs) }
}

/** Shift `Date` in this thread. */
function shiftClock(aheadMs: number): void {
  const RealDate = globalThis.Date
  const now = (): number => RealDate.now() + aheadMs
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as Date,
    get: (target, name): unknown => (name === 'now' ? now : Reflect.get(target, name)),
  })
}

const asked = process.env[VARIABLE]
if (asked !== undefined) shiftClock(Number(asked))

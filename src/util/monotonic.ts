/** Milliseconds on a clock that all threads of this machine share and nothing sets. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000
}

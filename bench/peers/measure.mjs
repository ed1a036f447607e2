/** What the programs of the PostgreSQL peers share: a stopwatch whose start is told to the parent, which watches the server. */

/** Begin to measure; the result reads what `total` jobs cost. */
export function stopwatch() {
  process.send?.('begin')
  const began = performance.now()
  const cpu = process.cpuUsage()
  return (total) => {
    const ms = performance.now() - began
    const { user, system } = process.cpuUsage(cpu)
    return { perSecond: (total / ms) * 1000, cpuUs: (user + system) / total }
  }
}

/** Give the sample to the parent, or print it, and end. */
export function finish(sample) {
  if (process.send === undefined) {
    process.stdout.write(`${JSON.stringify(sample)}\n`)
    process.exit(0)
  }
  process.send(sample, () => process.exit(0))
}

/** Call `send(index)` `count` times, 100 of them in flight. */
export async function inFlight(count, send) {
  let sent = 0
  const sendOn = async () => {
    while (sent < count) {
      sent += 1
      await send(sent)
    }
  }
  await Promise.all(Array.from({ length: 100 }, sendOn))
}

/** The value below which this share of the numbers lies. */
export function quantile(numbers, share) {
  const sorted = [...numbers].sort((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

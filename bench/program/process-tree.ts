import { readdirSync, readFileSync } from 'node:fs'

/** Length of a tick of the kernel's accounts. */
const TICK_US = 10_000

/** Processor time of a process and its children so far, in microseconds; Linux only. */
export function treeCpuUs(pid: number): number {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const stats = all.map((name) => statOf(Number(name)))
  const sum = (parent: number): number =>
    stats
      .filter((stat) => stat?.parent === parent)
      .reduce((total, stat) => total + (stat === undefined ? 0 : stat.cpuUs + sum(stat.pid)), 0)
  return (statOf(pid)?.cpuUs ?? 0) + sum(pid)
}

function statOf(
  pid: number,
): { readonly pid: number; readonly parent: number; readonly cpuUs: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { pid, parent: Number(fields[1]), cpuUs: (Number(fields[11]) + Number(fields[12])) * TICK_US }
  } catch {
    return undefined
  }
}

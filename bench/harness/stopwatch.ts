import type { Sample } from './scenario.js'

/** Measures a stretch of work of this process: rate, time and processor time (user and system) for each piece. */
export class Stopwatch {
  #startMs = performance.now()
  #cpu: NodeJS.CpuUsage = process.cpuUsage()

  /** Begin again. */
  restart(): void {
    this.#startMs = performance.now()
    this.#cpu = process.cpuUsage()
  }

  /** What `count` pieces cost since the start. */
  read(count: number): Sample {
    const tookMs = performance.now() - this.#startMs
    const { user, system } = process.cpuUsage(this.#cpu)
    return { perSecond: (count / tookMs) * 1000, cpuUs: (user + system) / count }
  }
}

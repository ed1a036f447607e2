/** What happens at a failpoint: the process dies (`SIGKILL`) or stands still until `SIGCONT` (`SIGSTOP`). */
export type FailpointAction = 'kill' | 'stop'

/** One armed failpoint. */
interface Armed {
  readonly action: FailpointAction
  /** Passes left before it acts. */
  left: number
}

const SIGNALS: Readonly<Record<FailpointAction, NodeJS.Signals>> = { kill: 'SIGKILL', stop: 'SIGSTOP' }

let armed: Map<string, Armed> | undefined

/**
 * A named place where a fault test lets the process die. Costs one comparison when nothing is armed.
 *
 * @param name - Layer and place, as `worker.before-ack`.
 */
export function failpoint(name: string): void {
  if (armed !== undefined) pass(name, armed)
}

/**
 * Arm failpoints for this process.
 *
 * @param spec - A list as `worker.before-ack=kill,worker.started@3=stop`, where `@3` acts at the third pass; an
 * empty text disarms.
 * @returns How many were armed; an entry that cannot be read arms nothing.
 */
export function armFailpoints(spec: string): number {
  const found = new Map<string, Armed>()
  for (const entry of spec.split(',')) {
    const match = /^\s*([\w.-]+)(?:@(\d+))?=(kill|stop)\s*$/.exec(entry)
    const name = match?.[1]
    if (name === undefined) continue
    found.set(name, { action: match?.[3] === 'stop' ? 'stop' : 'kill', left: Number(match?.[2] ?? 1) })
  }
  armed = found.size === 0 ? undefined : found
  return found.size
}

function pass(name: string, points: Map<string, Armed>): void {
  const point = points.get(name)
  if (point === undefined) return
  point.left -= 1
  if (point.left > 0) return
  points.delete(name)
  process.kill(process.pid, SIGNALS[point.action])
}

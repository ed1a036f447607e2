import { readdir, readFile } from 'node:fs/promises'
import { RabbitmqServer } from '../../test/support/rabbitmq-server.js'
import type { Sample } from '../harness/scenario.js'

/** A clock of the kernel ticks a hundred times a second. */
const TICK_US = 10_000

/** A server of one round. */
export interface RabbitPlace {
  readonly url: string
  /** Processor time that the server has used so far, in microseconds. */
  serverCpuUs(): Promise<number>
}

/** Do `work` with a server of its own. */
export async function withRabbitmq(work: (place: RabbitPlace) => Promise<Sample>): Promise<Sample> {
  await using server = await RabbitmqServer.start()
  const pid = await server.pid()
  return await work({ url: server.url, serverCpuUs: () => processCpuUs(pid) })
}

/** Processor time of a process, its threads included, in microseconds. */
export async function processCpuUs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // Behind the name, which may hold spaces: state, ppid, …, utime (14th), stime (15th).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_US
}

/** Processor time of a process and its children, in microseconds. */
export async function treeCpuUs(pid: number): Promise<number> {
  const tasks = await readdir(`/proc/${pid}/task`)
  const lists = await Promise.all(tasks.map((task) => readFile(`/proc/${pid}/task/${task}/children`, 'utf8')))
  const children = lists.join(' ').split(' ').filter(Boolean).map(Number)
  const times = await Promise.all([processCpuUs(pid), ...children.map(treeCpuUs)])
  return times.reduce((sum, time) => sum + time, 0)
}

/** A server as broker, its results nowhere or by `rpc://`. */
export function rabbitStore(url: string): { readonly broker: string; readonly backend: string } {
  return { broker: url, backend: 'rpc://' }
}

import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { isRecord } from '../../src/util/record.js'
import { tempFolder } from '../../test/support/temp.js'
import type { Sample } from '../harness/scenario.js'

/** A server of one round: durable, as it comes but for the number of connections and 512 MiB of shared buffers. */
export interface PostgresqlPlace {
  readonly url: string
  /** Processor time of all its processes so far, in microseconds. */
  cpuUs(): number
}

/** Do `work` with a server of its own, which waits for the disk at every commit. */
export async function withPostgresql(work: (place: PostgresqlPlace) => Promise<Sample>): Promise<Sample> {
  const folder = await tempFolder('bench-postgresql')
  const { pid, port, stop } = await startIn(folder.path)
  const url = `postgresql://lovage@127.0.0.1:${port}/postgres`
  try {
    await untilReady(url)
    return await work({ url, cpuUs: () => treeCpuUs(pid) })
  } finally {
    await stop()
    await folder.remove()
  }
}

/** It accepts connections before it takes queries. */
async function untilReady(url: string): Promise<void> {
  for (;;) {
    const client = new pg.Client(url)
    try {
      await client.connect()
      return
    } catch {
      await sleep(50)
    } finally {
      await client.end().catch(() => undefined)
    }
  }
}

/** Do `work` with connections of `pg`. */
export async function withPool(
  url: string,
  max: number,
  work: (pool: pg.Pool) => Promise<Sample>,
): Promise<Sample> {
  const pool = new pg.Pool({ connectionString: url, max })
  // What is still being closed when the server ends.
  pool.on('error', () => undefined)
  try {
    return await work(pool)
  } finally {
    await pool.end()
  }
}

interface Running {
  readonly pid: number
  readonly port: number
  readonly stop: () => Promise<void>
}

async function startIn(folder: string): Promise<Running> {
  const { createCluster } = await functionsOf('service/postgresql.mjs')
  const { freePort } = await functionsOf('server-process.mjs')
  const port = Number(await freePort?.())
  const cluster: unknown = await createCluster?.(folder, ['shared_buffers=512MB'])
  const postmaster = isRecord(cluster) ? cluster['postmaster'] : undefined
  if (!isFunction(postmaster)) throw new TypeError('the script that starts PostgreSQL has changed')
  const started: unknown = await postmaster(port)
  const { pid, stop } = isRecord(started) ? started : {}
  if (typeof pid !== 'number' || !isFunction(stop)) throw new TypeError('no server was started')
  return {
    pid,
    port,
    stop: async () => {
      await stop()
    },
  }
}

type AnyFunction = (...words: readonly unknown[]) => unknown

/** Scripts of the tests that are not compiled. */
async function functionsOf(path: string): Promise<Readonly<Record<string, AnyFunction | undefined>>> {
  const module: unknown = await import(new URL(`../../../test/support/${path}`, import.meta.url).href)
  return Object.fromEntries(Object.entries(isRecord(module) ? module : {}).filter(isNamedFunction))
}

function isNamedFunction(entry: [string, unknown]): entry is [string, AnyFunction] {
  return isFunction(entry[1])
}

function isFunction(value: unknown): value is AnyFunction {
  return typeof value === 'function'
}

const TICK_US = 10_000

/** Of a process, its children, and the children that have ended. */
function treeCpuUs(pid: number): number {
  for (;;) {
    const ended = endedTicks(pid)
    const ticks = treeTicks(pid)
    // A child that ends meanwhile would be missed, or counted twice.
    if (endedTicks(pid) === ended) return ticks * TICK_US
  }
}

function endedTicks(pid: number): number {
  return sum(statOf(String(pid)).slice(13, 15))
}

function treeTicks(pid: number): number {
  let ticks = 0
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const fields = statOf(entry)
    // After the name: state, parent, … user, system, user and system of ended children.
    const [own, ended] = [sum(fields.slice(11, 13)), sum(fields.slice(13, 15))]
    if (Number(entry) === pid) ticks += own + ended
    else if (Number(fields[1]) === pid) ticks += own
  }
  return ticks
}

function statOf(pid: string): readonly string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return []
  }
}

function sum(values: readonly string[]): number {
  return values.reduce((total, value) => total + Number(value), 0)
}

import { execFile, fork, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { isSample } from '../harness/child.js'
import type { Sample } from '../harness/scenario.js'
import type { PostgresqlPlace } from './postgresql-place.js'

const folder = fileURLToPath(new URL('../../../bench/peers/', import.meta.url))

/**
 * What BullMQ does in the same place; an empty sample where it is not installed.
 *
 * @param words - What to do, the URL, how many, and the concurrency.
 */
export function byBullMq(...words: readonly string[]): Promise<Sample> {
  return printedBy('bullmq', words)
}

/** What Agenda does, as {@link byBullMq}. */
export function byAgenda(...words: readonly string[]): Promise<Sample> {
  return printedBy('agenda', words)
}

/** What sqs-consumer does, as {@link byBullMq}. */
export function bySqsConsumer(...words: readonly string[]): Promise<Sample> {
  return printedBy('sqs-consumer', words)
}

async function printedBy(name: string, words: readonly string[]): Promise<Sample> {
  if (!existsSync(`${folder}node_modules/${name}`)) return {}
  const { stdout } = await promisify(execFile)(process.execPath, [`${folder}${name}.mjs`, ...words])
  const sample: unknown = JSON.parse(stdout)
  if (!isSample(sample)) throw new TypeError(`the peer printed ${stdout}`)
  return sample
}

/** What a peer on PostgreSQL is to do. */
export interface PeerWork {
  readonly what: string
  readonly count: number
  readonly concurrency?: number
  /** Jobs that it runs before and that are not measured. */
  readonly warmUp?: number
}

/** What `graphile-worker` or `pg-boss` does in the same place; an empty sample where it is not installed. */
export async function byPeer(
  peer: 'graphile-worker' | 'pg-boss',
  place: PostgresqlPlace,
  { what, count, concurrency = 10, warmUp = 0 }: PeerWork,
): Promise<Sample> {
  const node = existsSync(`${folder}node_modules/${peer}`) ? node24() : undefined
  if (node === undefined) return {}
  const words = [what, place.url, String(count), String(concurrency), String(warmUp)]
  const child = fork(`${folder}${peer}.mjs`, words, { execPath: node })
  let beforeUs = place.cpuUs()
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => {
      reject(new Error(`${peer} ${what} ended with ${code ?? 'a signal'}`))
    })
    child.on('message', (message) => {
      if (message === 'begin') beforeUs = place.cpuUs()
      if (!isSample(message)) return
      if (!('perSecond' in message)) resolve(message)
      const serverUs = (place.cpuUs() - beforeUs) / count
      resolve({ ...message, serverUs, totalUs: (message['cpuUs'] ?? 0) + serverUs })
    })
  })
}

/** These peers want a newer Node than Lovage: this one if it is, else the one of the registry. */
function node24(): string | undefined {
  const given = process.env['LOVAGE_TEST_NODE24']
  if (given !== undefined) return given
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath
  const { stdout } = spawnSync('npx', ['-y', '-p', 'node@24', 'node', '-p', 'process.execPath'], {
    encoding: 'utf8',
  })
  return stdout.trim() === '' ? undefined : stdout.trim()
}

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { isSample } from '../harness/child.js'
import type { Sample } from '../harness/scenario.js'

const folder = fileURLToPath(new URL('../../../bench/peers/', import.meta.url))

/**
 * What another library does in the same place; an empty sample where it is not installed.
 *
 * @param words - What to do, the URL, how many, and the concurrency.
 */
export async function byBullMq(...words: readonly string[]): Promise<Sample> {
  return byPeer('bullmq', words)
}

/** What sqs-consumer does; an empty sample where it is not installed. */
export async function bySqsConsumer(...words: readonly string[]): Promise<Sample> {
  return byPeer('sqs-consumer', words)
}

async function byPeer(name: string, words: readonly string[]): Promise<Sample> {
  if (!existsSync(`${folder}node_modules/${name}`)) return {}
  const { stdout } = await promisify(execFile)(process.execPath, [`${folder}${name}.mjs`, ...words])
  const sample: unknown = JSON.parse(stdout)
  if (!isSample(sample)) throw new TypeError(`the peer printed ${stdout}`)
  return sample
}

import { ConfigError } from '../../src/errors/errors.js'
import { RedisFailure } from './failure.js'
import { listOf, textOf } from './reply.js'
import type { ServerTarget } from './target.js'

/** The server to check, and how to ask it. */
export interface ServerToCheck {
  readonly target: Pick<ServerTarget, 'label' | 'allowEviction' | 'isCluster'>
  /** Send a command. Rejects with a {@link RedisFailure}. */
  call(command: string, ...args: readonly string[]): Promise<unknown>
}

/** The default of `proto-max-bulk-len`; no text of JavaScript is longer. */
const EVERY_SERVER_TAKES = 2 ** 29

/** Refuse a server that cannot hold a queue: too old, or allowed to evict keys of queues. @throws `ConfigError`. */
export async function checkServer(connection: ServerToCheck): Promise<void> {
  const server = await infoOf(connection, 'server')
  const [major = 0, minor = 0] = (server.get('redis_version') ?? '99').split('.').map(Number)
  if (major < 6 || (major === 6 && minor < 2)) {
    throw new ConfigError(
      `${connection.target.label} is version ${server.get('redis_version') ?? ''}; Lovage needs Redis 6.2`,
    )
  }
  await checkCluster(connection)
  const policy = (await infoOf(connection, 'memory')).get('maxmemory_policy') ?? 'noeviction'
  if (!policy.startsWith('allkeys') || connection.target.allowEviction) return
  throw new ConfigError(
    `${connection.target.label} has maxmemory-policy ${policy} and may drop waiting tasks; set it to noeviction, ` +
      'or the option allow_eviction if that is what you want',
  )
}

/** Longest argument of a command in bytes; `undefined` where it is what every server takes, or the account may not ask. */
export async function longestArgument(connection: ServerToCheck): Promise<number | undefined> {
  try {
    const [, bytes] = listOf(await connection.call('CONFIG', 'GET', 'proto-max-bulk-len'))
    return Number(bytes) < EVERY_SERVER_TAKES ? Number(bytes) : undefined
  } catch (error) {
    if (error instanceof RedisFailure && error.kind === 'refused') return undefined
    throw error
  }
}

async function checkCluster(connection: ServerToCheck): Promise<void> {
  if (connection.target.isCluster || (await infoOf(connection, 'cluster')).get('cluster_enabled') !== '1')
    return
  throw new ConfigError(
    `${connection.target.label} is a node of a cluster; begin its URL with redis+cluster://`,
  )
}

/** A section of `INFO`; empty where the account may not ask. */
async function infoOf(connection: ServerToCheck, section: string): Promise<ReadonlyMap<string, string>> {
  try {
    const text = textOf(await connection.call('INFO', section))
    return new Map(text.split('\r\n').map((line) => pairOf(line)))
  } catch (error) {
    if (error instanceof RedisFailure && error.kind === 'refused') return new Map()
    throw error
  }
}

function pairOf(line: string): [string, string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon), line.slice(colon + 1)]
}

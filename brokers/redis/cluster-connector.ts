import { connect as connectTcp, Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { AbstractConnector } from 'ioredis'
import type { Redis, RedisOptions } from 'ioredis'
import { withDeadline } from '../../src/util/deadline.js'
import { toError } from '../../src/util/to-error.js'
import { CheckedRedis } from './checked-redis.js'
import { RedisFailure } from './failure.js'
import { listOf, numberOf, textOf } from './reply.js'

/** A server as the others name it. */
export interface ClusterNode {
  readonly host: string
  readonly port: number
}

/** How a cluster is found. */
export interface ClusterTarget {
  /** Asked in turn for the node that has the keys. */
  readonly seeds: readonly ClusterNode[]
  /** A key of those that are used; all are in its slot. */
  readonly key: string
}

/** How long a silent server may take to answer the end of its connection. */
const DISCONNECT_MS = 200
/** How long a node may take to say who has the keys. */
const ANSWER_MS = 5_000

type Stream = Awaited<ReturnType<AbstractConnector['connect']>>

/**
 * Connects to the node of a cluster that has the slot of all keys, as Sentinel's connector connects to the master.
 *
 * One connection is enough then, and pub/sub reaches it from every node. After a failover the next connect finds the
 * new node.
 */
export function clusterConnector(
  target: ClusterTarget,
  options: RedisOptions,
): NonNullable<RedisOptions['Connector']> {
  return class ClusterConnector extends AbstractConnector {
    constructor() {
      super(DISCONNECT_MS)
    }

    override async connect(): Promise<Stream> {
      this.connecting = true
      try {
        const { host, port } = await ownerOf(target, options)
        if (!this.#isWanted()) return this.#ended()
        const { tls } = options
        this.stream = tls === undefined ? connectTcp({ host, port }) : connectTls({ host, port, ...tls })
        return this.stream
      } catch (error) {
        this.firstError = toError(error)
        return this.#ended()
      }
    }

    /** A rejection would end the client for good; a stream that has ended makes it try again. */
    #ended(): Stream {
      this.stream = new Socket().destroy()
      return this.stream
    }

    #isWanted(): boolean {
      return this.connecting
    }
  }
}

async function ownerOf({ seeds, key }: ClusterTarget, options: RedisOptions): Promise<ClusterNode> {
  let failure: Error = new RedisFailure('unavailable', 'no node of the cluster is named')
  for (const seed of seeds) {
    try {
      return await askSeed(seed, key, options)
    } catch (error) {
      failure = toError(error)
    }
  }
  throw failure
}

async function askSeed(seed: ClusterNode, key: string, options: RedisOptions): Promise<ClusterNode> {
  const redis = new CheckedRedis({ ...options, ...seed, lazyConnect: true, retryStrategy: () => null })
  redis.on('error', () => undefined)
  try {
    return await withDeadline(askOwner(redis, seed, key), {
      ms: options.connectTimeout ?? ANSWER_MS,
      late: () => new RedisFailure('unavailable', `${seed.host}:${String(seed.port)} does not answer`),
    })
  } catch (error) {
    // What the connection rejects with says only that it was closed.
    throw toError(redis.refusal ?? error)
  } finally {
    redis.disconnect()
  }
}

async function askOwner(redis: Redis, seed: ClusterNode, key: string): Promise<ClusterNode> {
  await redis.connect()
  const slot = numberOf(await redis.call('CLUSTER', 'KEYSLOT', key))
  for (const range of listOf(await redis.call('CLUSTER', 'SLOTS'))) {
    const [first, last, owner] = listOf(range)
    if (numberOf(first) > slot || slot > numberOf(last)) continue
    const [host, port] = listOf(owner)
    // An empty name means the node that was asked.
    return { host: textOf(host ?? '') || seed.host, port: numberOf(port) }
  }
  throw new RedisFailure('unavailable', `no node of the cluster has slot ${String(slot)}`)
}

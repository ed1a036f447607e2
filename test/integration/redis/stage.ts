import { Redis } from 'ioredis'
import { createBackend } from '../../../backends/redis/index.js'
import { createBroker } from '../../../brokers/redis/index.js'
import type { ResultBackend } from '../../../src/backend/contract.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import type { Broker, Consumer, ConsumeOptions } from '../../../src/broker/contract.js'
import { guardBroker } from '../../../src/broker/guard.js'
import { jsonCodec } from '../../conformance/index.js'
import { serviceUrl } from '../../support/service-url.js'
import { randomName } from '../../support/temp.js'

const never = new AbortController().signal

/** The server of the test run; empty where there is none. */
export const server: string = serviceUrl('redis') ?? ''

/** A broker and a backend on keys of their own, and a plain client for these keys. */
export interface RedisStage extends AsyncDisposable {
  readonly broker: Broker
  readonly backend: ResultBackend
  /** Sees only keys of the stage, without their prefix. */
  readonly keys: Redis
  readonly prefix: string
}

/** Open a stage on a server. @param hasKeys - Whether the plain client understands the URL. */
export async function openStage(
  url: string = server,
  options: object = {},
  hasKeys = true,
): Promise<RedisStage> {
  const prefix = `${randomName('stage')}:`
  const location = parseConnectionUrl(url)
  const transportOptions = {
    global_keyprefix: prefix,
    ...('socket_timeout' in options && { socket_timeout: options.socket_timeout }),
    ...('ssl' in options && { ssl: options.ssl }),
  }
  const broker = guardBroker(
    createBroker(location, { transportOptions: { ...transportOptions, delay: 'store', ...options } }),
  )
  const backend = createBackend(location, { codec: jsonCodec, transportOptions })
  const keys = new Redis(hasKeys ? url : 'redis://localhost', { keyPrefix: prefix, lazyConnect: true })
  try {
    await broker.connect(never)
    await backend.connect(never)
  } catch (error) {
    await broker.close()
    throw error
  }
  return {
    broker,
    backend,
    keys,
    prefix,
    [Symbol.asyncDispose]: async () => {
      await broker.close()
      await backend.close()
      keys.disconnect()
    },
  }
}

/** Declare the queue `celery` and consume it. */
export async function consume(broker: Broker, options: Partial<ConsumeOptions> = {}): Promise<Consumer> {
  await broker.declare({ name: 'celery', lifetime: 'durable', bindings: [] })
  return broker.consume(['celery'], { credit: 100, leaseMs: 30_000, ...options })
}

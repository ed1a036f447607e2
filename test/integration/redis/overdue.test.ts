import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Keys } from '../../../brokers/redis/keys.js'
import { acquireConnection } from '../../../brokers/redis/shared-connections.js'
import type { ConnectionLease } from '../../../brokers/redis/shared-connections.js'
import { Restorer } from '../../../brokers/redis/restorer.js'
import { readSettings } from '../../../brokers/redis/settings.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { textsOf } from '../../conformance/broker/stage.js'
import { take } from '../../support/messages.js'
import { consume, openStage, server } from './stage.js'
import type { RedisStage } from './stage.js'

const HOUR_MS = 3_600_000
const withServer = server === '' ? describe.skip : describe

withServer('what a worker of Celery has held for longer than the visibility timeout', () => {
  let lease: ConnectionLease

  beforeAll(async () => {
    lease = acquireConnection(readSettings(parseConnectionUrl(server), {}).target)
    await lease.connection.ready(new AbortController().signal)
  })

  afterAll(() => {
    lease.release()
  })

  function restorerOf({ prefix }: RedisStage): Restorer {
    const { naming } = readSettings(parseConnectionUrl(server), {
      global_keyprefix: prefix,
    })
    return new Restorer(lease.connection, new Keys(naming))
  }

  /** As a worker of Celery leaves a message that it has taken and not acknowledged. */
  async function hold(
    { keys }: RedisStage,
    text: string,
    heldMs: number,
    route: readonly [exchange: string, routingKey: string] = ['', 'celery'],
  ): Promise<void> {
    const envelope = {
      body: Buffer.from(text).toString('base64'),
      'content-encoding': 'utf-8',
      'content-type': 'text/plain',
      headers: {},
      properties: {
        delivery_info: { exchange: '', routing_key: 'celery' },
        body_encoding: 'base64',
        priority: 0,
        delivery_tag: text,
      },
    }
    await keys.hset('unacked', text, JSON.stringify([envelope, ...route]))
    await keys.zadd('unacked_index', (Date.now() - heldMs) / 1000, text)
  }

  it('goes back to its queue, and what it has held for less stays', async () => {
    await using stage = await openStage()
    const consumer = await consume(stage.broker)
    await hold(stage, 'old', 2 * HOUR_MS)
    await hold(stage, 'young', HOUR_MS / 2)

    expect(await restorerOf(stage).restoreOverdue(HOUR_MS)).toBe(1)
    expect(textsOf(await take(consumer, 1))).toEqual(['old'])
    expect(await stage.keys.hexists('unacked', 'young')).toBe(1)
    expect(await stage.keys.exists('unacked_mutex')).toBe(0)
  })

  it('goes back to the one queue that its exchange leads to, and stays where there are more or none', async () => {
    await using stage = await openStage()
    const { broker, keys } = stage
    const bindings = [{ exchange: 'shop', type: 'direct', routingKey: 'new' }] as const
    await broker.declare({ name: 'orders', lifetime: 'durable', bindings })
    for (const name of ['one', 'two']) {
      const both = [{ exchange: 'shop', type: 'direct', routingKey: 'both' }] as const
      await broker.declare({ name, lifetime: 'durable', bindings: both })
    }
    await hold(stage, 'old', 2 * HOUR_MS, ['shop', 'new'])
    await hold(stage, 'doubtful', 2 * HOUR_MS, ['shop', 'both'])
    await hold(stage, 'lost', 2 * HOUR_MS, ['shop', 'unknown'])
    await keys.hset('unacked', 'broken', 'no entry')
    await keys.zadd('unacked_index', 1, 'broken')

    expect(await restorerOf(stage).restoreOverdue(HOUR_MS)).toBe(1)
    expect(await keys.llen('orders')).toBe(1)
    expect(await keys.hkeys('unacked')).toEqual(expect.arrayContaining(['doubtful', 'lost', 'broken']))
  })

  it('is left to whoever has the lock, whose lock stays', async () => {
    await using stage = await openStage()
    await consume(stage.broker)
    await hold(stage, 'old', 2 * HOUR_MS)
    await stage.keys.set('unacked_mutex', 'of Celery')

    expect(await restorerOf(stage).restoreOverdue(HOUR_MS)).toBe(0)
    expect(await stage.keys.get('unacked_mutex')).toBe('of Celery')
    expect(await stage.keys.hexists('unacked', 'old')).toBe(1)
  })
})

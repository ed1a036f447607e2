import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { node } from '../../support/child.js'
import type { Child } from '../../support/child.js'
import { sqliteUrl } from '../../support/sqlite.js'
import { randomName, tempFolder } from '../../support/temp.js'
import { never, openBroker, textMessage } from './queue.js'

function child(script: string, args: readonly string[]): Child {
  return node(fileURLToPath(new URL(`child/${script}.js`, import.meta.url)), args)
}

describe('one SQLite file and several processes', () => {
  it('gives each message to exactly one of them', async () => {
    await using folder = await tempFolder('processes')
    const [url, queue] = [sqliteUrl(folder.file('queue.db')), randomName('queue')]
    const broker = await openBroker(url, queue)
    const ids = Array.from({ length: 2000 }, (_, index) => String(index))
    await using first = child('drain', [url, queue])
    await using second = child('drain', [url, queue])
    await Promise.all([first.waitForLine('ready'), second.waitForLine('ready')])

    for (let from = 0; from < ids.length; from += 50) {
      await broker.publish(ids.slice(from, from + 50).map((id) => textMessage(queue, id)))
    }

    const exits = await Promise.all([first.exited, second.exited])
    expect(exits.map(({ code }) => code)).toEqual([0, 0])
    const done = exits.map(({ stdout }) => [...stdout.matchAll(/^id=(\d+)$/gm)].map(([, id]) => id))
    expect(done.flat().sort()).toEqual([...ids].sort())
    expect(done.every((list) => list.length > 0)).toBe(true)
    expect(await broker.depth(queue)).toBe(0)
    await broker.close()
  }, 60_000)

  it('wakes a waiting consumer within milliseconds of a send from another process', async () => {
    await using folder = await tempFolder('processes')
    const [url, queue, count] = [sqliteUrl(folder.file('queue.db')), randomName('queue'), 60]
    const broker = await openBroker(url, queue)
    const consumer = await broker.consume([queue], { credit: 100, leaseMs: 30_000 })
    await using publisher = child('publish', [url, queue, String(count)])
    const delaysMs: number[] = []

    while (delaysMs.length < count) {
      const deliveries = await consumer.fetch(100, { waitMs: 20_000, signal: never })
      const nowMs = performance.timeOrigin + performance.now()
      expect(deliveries.length).toBeGreaterThan(0)
      delaysMs.push(...deliveries.map(({ message }) => nowMs - Number(message.headers['sentAtMs'])))
      await consumer.ack(deliveries)
    }

    await publisher.exited
    await broker.close()
    const median = delaysMs.sort((one, other) => one - other)[count / 2]
    // Clearly below the poll.
    expect(median).toBeLessThan(250)
  }, 60_000)
})

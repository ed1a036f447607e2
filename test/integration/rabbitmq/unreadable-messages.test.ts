import { Duplex } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { connect, type ConfirmChannel } from 'amqplib'
import { eventually } from '../../conformance/time.js'
import { Lovage } from '../../../src/index.js'
import { listDeadLetters } from '../../../src/control/dead-letters.js'
import { Worker } from '../../../src/worker/index.js'
import { serviceUrl } from '../../support/service-url.js'
import { randomName } from '../../support/temp.js'
import { internalsOf } from '../../../src/util/internals.js'

jest.setTimeout(60_000)

const server = serviceUrl('rabbitmq') ?? ''
const withServer = server === '' ? describe.skip : describe

/** Headers of one entry, `a`, with this value. */
function headersOf(value: Buffer): Buffer {
  const table = Buffer.concat([Buffer.alloc(4), Buffer.from([1]), Buffer.from('a'), value])
  table.writeUInt32BE(table.length - 4)
  return table
}

/** Lists in lists. */
function deepList(levels: number): Buffer {
  const bytes = Buffer.alloc(5 * levels)
  for (let level = 0; level < levels; level += 1) {
    bytes.write('A', 5 * level, 'latin1')
    bytes.writeUInt32BE(5 * (levels - level - 1), 5 * level + 1)
  }
  return bytes
}

withServer('a foreign message whose headers', () => {
  let queue: string
  let app: Lovage
  let worker: Worker

  beforeEach(async () => {
    queue = randomName('foreign')
    app = new Lovage('foreign', { broker: server, backend: 'rpc://', taskDefaultQueue: queue })
    worker = new Worker(app, { concurrency: 2 })
    await worker.start()
  })

  afterEach(async () => {
    await worker.stop({ hard: true })
    const broker = await internalsOf(app).broker()
    await broker.delete(queue)
    await broker.delete(`${queue}.dead`)
    await app.close()
  })

  /** Send headers that the client library would not write. */
  async function send(headers: Buffer): Promise<void> {
    const raw = await connect(server)
    const stream: unknown = Reflect.get(raw.connection, 'stream')
    if (!(stream instanceof Duplex)) throw new TypeError('the library has no stream')
    const channel: ConfirmChannel = await raw.createConfirmChannel()
    const write = stream.write.bind(stream)
    const placeholder = headersOf(
      Buffer.concat([Buffer.from('S'), Buffer.from([0, 0, 0, 4]), Buffer.from('here')]),
    )
    stream.write = (chunk: Buffer): boolean => {
      const at = chunk.indexOf(placeholder)
      if (at < 0) return write(chunk)
      const start = chunk.lastIndexOf(Buffer.from([2, 0, 1]), at)
      const bytes = Buffer.concat([chunk.subarray(0, at), headers, chunk.subarray(at + placeholder.length)])
      bytes.writeUInt32BE(chunk.readUInt32BE(start + 3) + headers.length - placeholder.length, start + 3)
      return write(bytes)
    }
    channel.sendToQueue(queue, Buffer.from('foreign'), { contentType: 'text/plain', headers: { a: 'here' } })
    await channel.waitForConfirms()
    await raw.close()
  }

  it.each([
    ['nest 20,000 deep', deepList(20_000)],
    ['nest 3,000 deep', deepList(3_000)],
  ])('%s is set aside, and the connection stays', async (_what, value) => {
    const one = app.task('foreign.one', () => 1)
    await send(headersOf(value))
    const broker = await internalsOf(app).broker()

    const results = await Promise.all(Array.from({ length: 5 }, async () => one.delay()))
    expect(await Promise.all(results.map((result) => result.get(20)))).toEqual([1, 1, 1, 1, 1])

    await eventually(async () => (await broker.depth(`${queue}.dead`)) > 0, 20_000)
    const [letter] = await listDeadLetters(broker, queue)
    expect(letter).toMatchObject({ reason: 'unreadable' })
    expect(await broker.depth(queue)).toBe(0)
    expect(worker.status.isClaiming).toBe(true)
  })
})

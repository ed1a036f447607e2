import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, jest } from '@jest/globals'
import { connect } from 'amqplib'
import { Lovage, TimeoutError, type CallableTask, type TaskContext } from '../../../src/index.js'
import type { ConfigInput } from '../../../src/config/config.js'
import { startWorker } from '../../../src/testing/index.js'
import { serviceUrl } from '../../support/service-url.js'
import { randomName } from '../../support/temp.js'

jest.setTimeout(60_000)

const server = serviceUrl('rabbitmq') ?? ''
const withServer = server === '' ? describe.skip : describe

interface Caller {
  readonly app: Lovage
  readonly add: CallableTask<[x: number, y: number], number>
}

/** An app with a task, on a queue of its own. */
function open(queue: string, settings: ConfigInput = {}): Caller {
  const app = new Lovage('rpc', { broker: server, backend: 'rpc://', taskDefaultQueue: queue, ...settings })
  return { app, add: app.task('rpc.add', (x: number, y: number) => x + y) }
}

async function hasQueue(name: string): Promise<boolean> {
  const connection = await connect(server)
  const channel = await connection.createChannel()
  channel.on('error', () => undefined)
  const isThere = await channel.checkQueue(name).then(
    () => true,
    () => false,
  )
  await connection.close().catch(() => undefined)
  return isThere
}

withServer('results by rpc', () => {
  it.each(['rpc://', 'amqp://guest@localhost//'])(
    'go to whoever called, who may read them again, and to nobody else (%s)',
    async (backend) => {
      const queue = randomName('rpc')
      const { app, add } = open(queue, { backend })
      const other = open(queue)
      const working = open(queue)
      const worker = await startWorker(working.app)

      const result = await add.delay(1, 2)
      expect(await result.get(20)).toBe(3)
      expect(await result.ready()).toBe(true)
      expect(await result.get(20)).toBe(3)

      const elsewhere = other.app.AsyncResult(result.id)
      expect(await elsewhere.state()).toBe('PENDING')
      await expect(elsewhere.get(0.3)).rejects.toBeInstanceOf(TimeoutError)
      await worker.stop()
      await Promise.all([app.close(), other.app.close(), working.app.close()])
    },
  )

  it('come by one queue a process, which is gone when the app is closed', async () => {
    const queue = randomName('rpc')
    const { app, add } = open(queue)
    const addresses: (string | undefined)[] = []
    const worked = open(queue).app
    worked.task({ name: 'rpc.add', bind: true, replace: true }, (self: TaskContext, x: number, y: number) => {
      addresses.push(self.request.replyTo)
      return x + y
    })
    const worker = await startWorker(worked)

    for (const result of await Promise.all([add.delay(1, 2), add.delay(3, 4)])) await result.get(20)
    const [address = ''] = addresses
    expect(new Set(addresses).size).toBe(1)
    expect(await hasQueue(address)).toBe(true)
    await app.close()
    for (const end = performance.now() + 5_000; (await hasQueue(address)) && performance.now() < end;)
      await sleep(20)
    expect(await hasQueue(address)).toBe(false)

    // A caller who is gone holds up nobody.
    const gone = open(queue)
    await worker.stop()
    await gone.add.delay(0, 0)
    await gone.app.close()
    const again = await startWorker(worked)
    const late = open(queue)
    expect(await (await late.add.delay(5, 6)).get(20)).toBe(11)
    await again.stop()
    await Promise.all([late.app.close(), worked.close()])
  })
})

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { connect } from 'amqplib'
import { eventually } from '../../conformance/time.js'
import { Lovage } from '../../../src/index.js'
import type { CallableTask } from '../../../src/index.js'
import { Worker } from '../../../src/worker/index.js'
import { HalfOpenProxy } from '../../support/half-open-proxy.js'
import { serviceUrl } from '../../support/service-url.js'
import { randomName } from '../../support/temp.js'

jest.setTimeout(120_000)

const server = serviceUrl('rabbitmq') ?? 'amqp://127.0.0.1'
const describeHere = serviceUrl('rabbitmq') === undefined ? describe.skip : describe

/** More than `maxDeliveries`. */
const RESETS = 6

describeHere.each(['classic', 'quorum'] as const)(
  'a worker on a %s queue whose connection is reset',
  (type) => {
    let queue: string
    let proxy: HalfOpenProxy
    let far: Lovage
    let near: Lovage
    let worker: Worker
    let probe: CallableTask<[], number>
    let hold: CallableTask<[string], Promise<string>>
    let goOn: (() => void)[]
    let runs: string[]

    beforeEach(async () => {
      queue = randomName('blips')
      proxy = await HalfOpenProxy.open(Number(new URL(server).port))
      const url = new URL(server)
      url.port = String(proxy.port)
      far = appAt(url.href)
      near = appAt(server)
      goOn = []
      runs = []
      far.task('blips.probe', () => 1)
      far.task({ name: 'blips.hold', bind: true }, async (self, text: string) => {
        runs.push(`${text} ${self.request.deliveryInfo.deliveryCount}`)
        await new Promise<void>((resolve) => goOn.push(resolve))
        return text
      })
      probe = near.task('blips.probe', () => 1)
      hold = near.task('blips.hold', async (text: string) => text)
      worker = new Worker(far, { concurrency: 3 })
      await worker.start()
    })

    afterEach(async () => {
      for (const release of goOn) release()
      await worker.stop({ hard: true })
      await far.close()
      await near.close()
      await proxy[Symbol.asyncDispose]()
      const raw = await connect(server)
      const channel = await raw.createChannel()
      await channel.deleteQueue(queue)
      await channel.deleteQueue(`${queue}.dead`)
      await raw.close()
    })

    function appAt(broker: string): Lovage {
      return new Lovage('blips', {
        broker,
        backend: 'rpc://',
        taskDefaultQueue: queue,
        taskDefaultQueueType: type,
        taskCreateMissingQueueType: type,
      })
    }

    async function reset(): Promise<void> {
      proxy.cut()
      await eventually(() => !worker.status.isClaiming, 20_000)
      await eventually(() => worker.status.isClaiming, 20_000)
      // Behind what comes back in its queue.
      expect(await (await probe.delay()).get(20)).toBe(1)
    }

    async function depth(name: string): Promise<number> {
      const raw = await connect(server)
      const channel = await raw.createChannel()
      const { messageCount } = await channel.assertQueue(name, {
        durable: true,
        ...(name === queue && { arguments: { 'x-queue-type': type } }),
      })
      await raw.close()
      return messageCount
    }

    it('runs a task once however often that is', async () => {
      const result = await hold.delay('a')
      await eventually(() => runs.length > 0, 20_000)

      for (let round = 0; round < RESETS; round += 1) await reset()
      expect(worker.status.running).toBe(1)
      goOn[0]?.()

      expect(await result.get(20)).toBe('a')
      expect(runs).toEqual(['a 1'])
      expect([await depth(queue), await depth(`${queue}.dead`)]).toEqual([0, 0])
    })

    it('does not run a task again that ended meanwhile', async () => {
      const result = await hold.delay('a')
      await eventually(() => runs.length > 0, 20_000)

      proxy.cut()
      await eventually(() => !worker.status.isClaiming, 20_000)
      goOn[0]?.()

      expect(await result.get(20)).toBe('a')
      await worker.stop()
      expect(runs).toEqual(['a 1'])
      expect(await depth(queue)).toBe(0)
    })

    it('gives a task back that goes on in a later connection, uncounted, when it stops', async () => {
      await hold.delay('a')
      await eventually(() => runs.length > 0, 20_000)
      await reset()

      await worker.stop({ hard: true })
      worker = new Worker(far, { concurrency: 3 })
      await worker.start()

      await eventually(() => runs.length > 1, 20_000)
      expect(runs).toEqual(['a 1', 'a 1'])
    })
  },
)

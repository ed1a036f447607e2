import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { connect, type Channel, type ChannelModel } from 'amqplib'
import { Lovage } from '../../../src/index.js'
import { serviceUrl } from '../../support/service-url.js'
import { randomName } from '../../support/temp.js'

jest.setTimeout(60_000)

const server = serviceUrl('rabbitmq') ?? ''
const withServer = server === '' ? describe.skip : describe

withServer('of 20 messages that are sent at once to RabbitMQ, one that the server refuses', () => {
  let queue: string
  let exchange: string
  let app: Lovage
  let raw: ChannelModel
  let channel: Channel

  beforeEach(async () => {
    queue = randomName('queue')
    exchange = randomName('internal')
    app = new Lovage('refused', { broker: server, backend: false, taskDefaultQueue: queue })
    raw = await connect(server)
    channel = await raw.createChannel()
    await channel.assertExchange(exchange, 'direct', { internal: true })
  })

  afterEach(async () => {
    await app.close()
    await channel.deleteQueue(queue)
    await channel.deleteExchange(exchange)
    await raw.close()
  })

  it.each([
    [
      'because it expires in 2040',
      () => ({ expires: new Date('2040-01-01') }),
      /expires.*49 days|49 days.*expire/,
    ],
    [
      'because its exchange is internal',
      () => ({ exchange, routingKey: 'any' }),
      /cannot publish to internal exchange/,
    ],
  ])('%s, rejects and no other', async (_why, options, words) => {
    // The connection is there, so that all travel together.
    await app.sendTask('tasks.first')

    const sent = await Promise.allSettled(
      Array.from({ length: 20 }, async (_, n) => app.sendTask(`tasks.${n}`, n === 10 ? options() : {})),
    )

    const refused = sent.flatMap((one, n) => (one.status === 'rejected' ? [[n, one.reason]] : []))
    expect(refused).toEqual([[10, expect.objectContaining({ message: expect.stringMatching(words) })]])
    expect(await channel.checkQueue(queue)).toMatchObject({ messageCount: 20 })
  })
})

import { describe, it, jest } from '@jest/globals'
import { canStartRabbitmq, RabbitmqServer } from '../support/rabbitmq-server.js'
import { standInForEachOther } from './fixture/stand-ins.js'

jest.setTimeout(180_000)

const withServers = canStartRabbitmq() ? describe : describe.skip

withServers('two RabbitMQ servers in one list', () => {
  it('stand in for each other, and what one had is run when it is back', async () => {
    const [first, second] = await Promise.all([RabbitmqServer.start(), RabbitmqServer.start()])
    await using _first = first
    await using _second = second

    await standInForEachOther(first, second)
  })
})

import { SendMessageCommand } from '@aws-sdk/client-sqs'
import { describe, expect, it, jest } from '@jest/globals'
import { serviceUrl } from '../../support/service-url.js'
import { textsOf } from '../../conformance/broker/stage.js'
import { outgoing, take } from '../../support/messages.js'
import { SqsStage } from './stage.js'

jest.setTimeout(60_000)

const server = serviceUrl('sqs') ?? ''
const withServer = server === '' ? describe.skip : describe

const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
const foreign: readonly (readonly [string, string])[] = [
  [
    'headers nest 20,000 deep',
    `{"body":"aGk=","content-encoding":"utf-8","content-type":"text/plain","headers":{"deep":${deep}},` +
      `"properties":{"body_encoding":"base64","delivery_tag":"1"}}`,
  ],
  ['properties are a list', '{"body":"aGk=","headers":{},"properties":[1]}'],
  ['text is no JSON', '{"body":'],
]

withServer('a foreign message in SQS whose', () => {
  it.each(foreign)('%s goes back and comes again beside the others', async (_what, body) => {
    await using stage = await SqsStage.open(server)
    const broker = await stage.queue('jobs')
    await broker.publish([outgoing('jobs', 'a')])
    const QueueUrl = await stage.urlOf(`${stage.prefix}jobs`)
    await stage.client.send(new SendMessageCommand({ QueueUrl, MessageBody: body }))
    const consumer = await broker.consume(['jobs'], { credit: 10, leaseMs: 30_000 })
    const first = await take(consumer, 2)
    expect(textsOf(first)).toContain('a')

    const lost = await consumer.handBack(
      first.map((delivery) => ({ delivery, delayMs: 0, unspent: true, headers: { back: true } })),
    )

    expect(lost).toEqual([])
    const again = await take(consumer, 2)
    expect([...textsOf(again)].sort()).toEqual([...textsOf(first)].sort())
    expect(await consumer.ack(again)).toEqual([])
    expect(await stage.counts(`${stage.prefix}jobs`)).toEqual([0, 0, 0])
  })
})

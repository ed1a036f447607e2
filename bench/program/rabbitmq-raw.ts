/**
 * What RabbitMQ itself can do with Celery's messages: amqplib with Nagle off, a durable queue, persistent messages; a prefetch
 * of 1000 and one acknowledgement for all that came in a turn of the event loop; or one confirmation for each publish.
 */
import { connect, type Channel, type ConsumeMessage, type Options } from 'amqplib'
import type { Sample } from '../harness/scenario.js'
import { Stopwatch } from '../harness/stopwatch.js'
import type { RabbitPlace } from './rabbitmq-place.js'
import { benchMessage } from './sqlite-raw.js'

const QUEUE = 'celery'
const NO_DELAY = { noDelay: true }

/** Body and options of the message that `noop.delay(index)` publishes. */
export function rawMessage(index: number): { readonly body: Buffer; readonly options: Options.Publish } {
  const { headers, properties, body } = benchMessage(index)
  const options = {
    contentType: 'application/json',
    contentEncoding: 'utf-8',
    deliveryMode: 2,
    priority: 0,
    correlationId: String(properties['correlationId']),
    headers: { ...headers },
  }
  return { body: Buffer.from(body), options }
}

/** Declare the queue and fill it. */
export async function rawFill(url: string, count: number): Promise<void> {
  const connection = await connect(url, NO_DELAY)
  const channel = await connection.createConfirmChannel()
  await channel.assertQueue(QUEUE, { durable: true })
  for (let from = 0; from < count; from += 500) {
    for (let index = from; index < Math.min(count, from + 500); index += 1) {
      const { body, options } = rawMessage(index)
      channel.publish('', QUEUE, body, options)
    }
    await channel.waitForConfirms()
  }
  await connection.close()
}

/** Drain what was put there before. @param warmUp - Messages that are drained first and not measured. */
export async function rawDrain(
  { url, serverCpuUs }: RabbitPlace,
  warmUp: number,
  count: number,
): Promise<Sample> {
  await rawFill(url, warmUp + count)
  const connection = await connect(url, NO_DELAY)
  const channel = await connection.createChannel()
  await channel.prefetch(1000)
  const stopwatch = new Stopwatch()
  let before = serverCpuUs()
  let seen = 0
  await new Promise<void>((resolve, reject) => {
    const acknowledge = grouped(channel)
    const heard = (message: ConsumeMessage | null): void => {
      if (message === null) return
      handle(message).then((ran) => {
        seen += ran
        acknowledge(message)
        if (seen === warmUp + count) resolve()
        if (seen !== warmUp) return
        before = serverCpuUs()
        stopwatch.restart()
      }, reject)
    }
    channel.consume(QUEUE, heard).catch(reject)
  })
  // Answered after the last acknowledgement was read.
  await channel.checkQueue(QUEUE)
  const sample = stopwatch.read(count)
  const serverUs = ((await serverCpuUs()) - (await before)) / count
  await connection.close()
  return { ...sample, serverUs }
}

/** Acknowledge everything up to the newest, once in a turn of the event loop. */
function grouped(channel: Channel): (message: ConsumeMessage) => void {
  let newest: ConsumeMessage | undefined
  return (message) => {
    if (newest === undefined) {
      setImmediate(() => {
        if (newest !== undefined) channel.ack(newest, true)
        newest = undefined
      })
    }
    newest = message
  }
}

/** Decode one message; a promise, as a worker's task is one. */
async function handle({ content, properties }: ConsumeMessage): Promise<number> {
  const parsed: unknown = JSON.parse(content.toString())
  return Array.isArray(parsed) && properties.headers?.['task'] === 'bench.noop' ? 1 : 0
}

/** Publish with one confirmation for each, 100 under way. */
export async function rawEnqueue({ url, serverCpuUs }: RabbitPlace, count: number): Promise<Sample> {
  const connection = await connect(url, NO_DELAY)
  const channel = await connection.createConfirmChannel()
  await channel.assertQueue(QUEUE, { durable: true })
  const publish = (index: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const { body, options } = rawMessage(index)
      channel.publish('', QUEUE, body, options, (error: unknown) => {
        if (error === null || error === undefined) resolve()
        else reject(new Error('A message was not confirmed.', { cause: error }))
      })
    })
  const send = async (total: number): Promise<void> => {
    let sent = 0
    const sendOn = async (): Promise<void> => {
      while (sent < total) {
        sent += 1
        await publish(sent)
      }
    }
    await Promise.all(Array.from({ length: 100 }, sendOn))
  }
  await send(5_000)
  const before = await serverCpuUs()
  const stopwatch = new Stopwatch()
  await send(count)
  const sample = stopwatch.read(count)
  const serverUs = ((await serverCpuUs()) - before) / count
  await connection.close()
  return { ...sample, serverUs }
}

/** Call `started` with the body of whatever comes to the queue, at the start of what would be its task. */
export async function rawListen(
  url: string,
  started: (sentNs: string) => void,
): Promise<() => Promise<void>> {
  const connection = await connect(url, NO_DELAY)
  const channel = await connection.createChannel()
  await channel.assertQueue(QUEUE, { durable: true })
  await channel.prefetch(1000)
  await channel.consume(QUEUE, (message) => {
    if (message === null) return
    const parsed: unknown = JSON.parse(message.content.toString())
    if (Array.isArray(parsed)) started(String(parsed[0]))
    channel.ack(message)
  })
  return () => connection.close()
}

/** Publishes what {@link rawListen} hears, each time confirmed. */
export async function rawSender(url: string): Promise<{
  readonly send: (sentNs: string) => Promise<void>
  readonly close: () => Promise<void>
}> {
  const connection = await connect(url, NO_DELAY)
  const channel = await connection.createConfirmChannel()
  return {
    send: async (sentNs) => {
      const { options } = rawMessage(0)
      channel.publish('', QUEUE, Buffer.from(JSON.stringify([sentNs])), options)
      await channel.waitForConfirms()
    },
    close: () => connection.close(),
  }
}

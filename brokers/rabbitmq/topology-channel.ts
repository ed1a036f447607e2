import type { Channel } from 'amqplib'
import { replyCode } from './failure.js'
import type { RabbitConnection } from './connection.js'

/** Do `declare`; where the user may not, `look` whether what it declares is there. Rejects with the refusal if not. */
export async function declareOrFind<Result>(
  channel: Pick<TopologyChannel, 'run'>,
  declare: (channel: Channel) => Promise<Result>,
  look: (channel: Channel) => Promise<Result>,
): Promise<Result> {
  try {
    return await channel.run(declare)
  } catch (error) {
    if (replyCode(error) !== REFUSED) throw error
    try {
      return await channel.run(look)
    } catch {
      throw error
    }
  }
}

const REFUSED = 403

/**
 * A channel for declarations and look-ups, which the server closes whenever it refuses one.
 *
 * One piece of work at a time, so that a refusal hits nobody else; the next gets a new channel.
 */
export class TopologyChannel {
  readonly #connection: RabbitConnection
  #channel: Channel | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(connection: RabbitConnection) {
    this.#connection = connection
  }

  /** Do `work` alone on the channel. Rejects with what the server or the library says. */
  run<Result>(work: (channel: Channel) => Promise<Result>): Promise<Result> {
    const running = this.#last.then(() => this.#work(work))
    this.#last = running.catch(() => undefined)
    return running
  }

  async #work<Result>(work: (channel: Channel) => Promise<Result>): Promise<Result> {
    const channel = this.#channel ?? (await this.#open())
    return work(channel)
  }

  async #open(): Promise<Channel> {
    const channel = await this.#connection.channel()
    this.#channel = channel
    channel.on('close', () => {
      if (this.#channel === channel) this.#channel = undefined
    })
    return channel
  }
}

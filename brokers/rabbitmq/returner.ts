import type { Delivery, HandBack } from '../../src/broker/contract.js'
import { PublishError } from '../../src/errors/errors.js'
import { MARK } from './marks.js'
import type { Sending } from './sender.js'

/** Publishes with confirmation. */
export interface Publishes {
  readonly publish: (batch: readonly Sending[]) => Promise<void>
}

/**
 * Gives deliveries back by publishing them again, with their count in a header, and then acknowledging the old ones.
 *
 * AMQP's own way back tells neither how often a message was delivered nor whether that counts. A crash between the two steps
 * leaves the message twice.
 */
export class Returner {
  readonly #sender: Publishes

  constructor(sender: Publishes) {
    this.#sender = sender
  }

  /** Publish as it is. */
  publish(batch: readonly Sending[]): Promise<void> {
    return this.#sender.publish(batch)
  }

  /**
   * Publish again, then call `published` with the positions to acknowledge.
   *
   * @throws `PublishError` when some could not be published; the others are reported before.
   */
  async giveBack(
    items: readonly HandBack[],
    published: (positions: readonly number[]) => void,
  ): Promise<void> {
    if (items.length === 0) return
    try {
      await this.#sender.publish(items.map(toSending))
      published([...items.keys()])
    } catch (error) {
      if (!(error instanceof PublishError)) throw error
      const { indexes, retryable } = error
      published([...items.keys()].filter((position) => !indexes.includes(position)))
      const bare = retryable ? [] : indexes.filter((position) => isUncounted(items[position]))
      if (bare.length > 0) await this.#publishUnmarked(items, bare)
      published(bare)
      if (bare.length < indexes.length) throw error
    }
  }

  /** As it came: with its marks, a message whose headers are as long as they may be fits into no frame. */
  async #publishUnmarked(items: readonly HandBack[], positions: readonly number[]): Promise<void> {
    const sendings = positions.flatMap((position) => items[position] ?? []).map(toSending)
    await this.#sender.publish(sendings.map(({ marks: _marks, ...sending }) => sending))
  }
}

/** Whether nothing is written onto it that its next claim needs. */
function isUncounted(item: HandBack | undefined): boolean {
  return item?.unspent === true && item.headers === undefined
}

function toSending({ delivery, delayMs, notBeforeMs, unspent, headers }: HandBack): Sending {
  const { message, queue, deliveryCount, due } = delivery
  return {
    route: { exchange: '', routingKey: queue },
    message: headers === undefined ? message : { ...message, headers: { ...message.headers, ...headers } },
    marks: {
      [MARK.deliveries]: unspent ? deliveryCount - 1 : deliveryCount,
      ...(due && { [MARK.due]: true }),
      ...routeMark(delivery),
    },
    ...(notBeforeMs === undefined ? { delayMs } : { notBeforeMs }),
  }
}

function routeMark({ route, queue }: Delivery): Record<string, unknown> {
  const { exchange, routingKey } = route
  if (exchange === '' && routingKey === queue) return {}
  return { [MARK.route]: { exchange, routing_key: routingKey } }
}

import type { Lovage } from '../../../src/index.js'
import type { Message } from '../../../src/message/message.js'
import type { AsyncResult } from '../../../src/result/async-result.js'
import { internalsOf } from '../../../src/util/internals.js'

/** A call, and the message that it was sent with. */
export interface SentCall {
  readonly result: AsyncResult
  readonly message: Message
}

/** Make one call and keep its message, as the broker was given it. */
export async function sentWith(app: Lovage, send: () => Promise<AsyncResult>): Promise<SentCall> {
  const messages: Message[] = []
  internalsOf(app).around.publish.push(async (call, next) => {
    messages.push(call.outgoing.message)
    await next(call)
  })
  try {
    const result = await send()
    const [message] = messages
    if (message === undefined) throw new RangeError('nothing was sent')
    return { result, message }
  } finally {
    internalsOf(app).around.publish.pop()
  }
}

import { Retry } from '../../../src/errors/directives.js'
import { withContext } from '../../../src/task/context.js'
import { silentLogger } from '../../../src/task/logger.js'
import { toRequest } from '../../../src/task/request.js'

/** Run `body` as if a task of that name ran it. */
export function contextForTest<Value>(name: string, body: () => Value): Value {
  const embed = { callbacks: null, errbacks: null, chain: null, chord: null }
  const message = { id: 'outer-id', task: name, args: [], kwargs: {}, embed, retries: 0, rootId: 'outer-id' }
  const rest = { replacedTaskNesting: 0, stamps: {}, protocol: 2, headers: {}, properties: {} } as const
  const deliveryInfo = {
    exchange: '',
    routingKey: 'celery',
    queue: 'celery',
    priority: undefined,
    redelivered: false,
    deliveryCount: 1,
  }
  const place = { hostname: 'worker@test', deliveryInfo, isEager: false }
  return withContext(
    {
      name,
      request: toRequest({ ...message, ...rest, contentType: 'application/json' }, place),
      signal: new AbortController().signal,
      logger: silentLogger,
      retry: () => new Retry(),
      updateState: async () => undefined,
    },
    body,
  )
}

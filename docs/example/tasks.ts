import { Ignore, Lovage, Reject, Task, TaskArgumentsError, type TaskContext } from 'lovage'
import { startWorker } from 'lovage/testing'
import { z } from 'zod'

const app = new Lovage('shop', { broker: 'memory://', backend: 'memory://' })

// #region define
const add = app.task('shop.add', (x: number, y: number) => x + y)

console.log(add(1, 2)) // 3
console.log(add.run(1, 2)) // 3
console.log(add.name) // shop.add
// #endregion

// #region automatic-name
function sweep(): string {
  return 'swept'
}
const sweeping = app.task(sweep)

console.log(sweeping.name) // shop.sweep
// #endregion

// #region bind
class GatewayError extends Error {
  override name = 'GatewayError'
}
let outages = 1

const charge = app.task(
  { name: 'shop.charge', bind: true, maxRetries: 5 },
  async (self: TaskContext, orderId: string) => {
    await self.updateState({ state: 'PROGRESS', meta: { done: 1, of: 2 } })
    if (outages > 0) {
      outages -= 1
      throw self.retry({ countdown: { milliseconds: 10 }, exc: new GatewayError('no answer') })
    }
    return { receiptId: `${orderId}/${self.request.retries}` }
  },
)
// #endregion

// #region autoretry
let failures = 2

const fetchPrice = app.task(
  {
    name: 'shop.fetchPrice',
    autoretryFor: [GatewayError],
    maxRetries: 5,
    retryKwargs: { countdown: { milliseconds: 10 } },
  },
  (article: string) => {
    failures -= 1
    if (failures >= 0) throw new GatewayError('no answer')
    return `${article} costs 3`
  },
)
// #endregion

// #region params
const greet = app.task(
  { name: 'shop.greet', params: ['name', 'greeting?'] },
  (name: string, greeting = 'Hello') => `${greeting}, ${name}`,
)
// #endregion

// #region schema
const area = app.task(
  { name: 'shop.area', args: z.tuple([z.number().positive(), z.number().positive()]), result: z.number() },
  (width: number, height: number) => width * height,
)
// #endregion

// #region directives
const inspect = app.task('shop.inspect', (parcel: { state: string }) => {
  if (parcel.state === 'seen before') throw new Ignore('nothing to do')
  if (parcel.state === 'damaged') throw new Reject('set aside for a person')
  return 'fine'
})
// #endregion

// #region handlers
const heard: string[] = []

const notify = app.task(
  {
    name: 'shop.notify',
    onSuccess: ({ request, value }) => void heard.push(`${request.task} gave ${String(value)}`),
    onFailure: ({ request, error }) => void heard.push(`${request.task} threw ${String(error)}`),
  },
  () => 'sent',
)
// #endregion

// #region base
abstract class WithStock extends Task {
  override readonly options = { maxRetries: 5 }
  readonly stock = new Map([['tea', 3]])
}

const count = app.task({ name: 'shop.count', base: WithStock }, function (this: WithStock, article: string) {
  return this.stock.get(article) ?? 0
})
// #endregion

await using worker = await startWorker(app)

const receipt = await charge.delay('order-7')
console.log(await receipt.get()) // { receiptId: 'order-7/1' }
console.log(await (await fetchPrice.delay('tea')).get()) // tea costs 3

// #region call-params
const greeting = await app.sendTask('shop.greet', { args: ['Ada'], kwargs: { greeting: 'Good day' } })
console.log(await greeting.get()) // Good day, Ada
// #endregion
console.log(greet('Ada')) // Hello, Ada

// #region call-schema
console.log(await area.delay(-1, 2).catch((error: unknown) => error instanceof TaskArgumentsError)) // true
// #endregion
console.log(await (await area.delay(2, 3)).get()) // 6

console.log(await (await inspect.delay({ state: 'new' })).get()) // fine
const damaged = await inspect.delay({ state: 'damaged' })
const refusal = await damaged.get({ propagate: false })
console.log(refusal instanceof Error, await damaged.state()) // true FAILURE

console.log(await (await count.delay('tea')).get()) // 3

await notify.delay()
await worker.stop()
console.log(heard) // [ 'shop.notify gave sent' ]
await app.close()

import { setTimeout } from 'node:timers/promises'

import { Lovage, TimeoutError } from 'lovage'
import { startWorker } from 'lovage/testing'

const app = new Lovage('shop', { broker: 'memory://', backend: 'memory://', resultExtended: true })

class OutOfStockError extends Error {
  override name = 'OutOfStockError'
}
app.registerError(OutOfStockError, { excModule: 'shop', excType: 'OutOfStockError' })

const add = app.task('shop.add', async (x: number, y: number) => {
  await setTimeout(100)
  return x + y
})

const reserve = app.task('shop.reserve', (article: string) => {
  throw new OutOfStockError(`no ${article} left`)
})

const imports = app.task({ name: 'shop.import', bind: true, maxRetries: 0 }, async (self) => {
  for (const done of [50, 90]) {
    await self.updateState({ state: 'PROGRESS', meta: { done } })
    await setTimeout(100)
  }
  return 'imported'
})

await using worker = await startWorker(app)

// #region first
const result = await add.delay(5, 10)

console.log(result.taskName) // shop.add
console.log(await result.ready()) // false
console.log(await result.get()) // 15
console.log(await result.ready(), await result.successful()) // true true
console.log(result.result) // 15
// #endregion

// #region timeout
const slow = await add.delay(3, 4)
try {
  await slow.get({ timeout: { milliseconds: 1 } })
} catch (error) {
  console.log(error instanceof TimeoutError) // true
}
console.log(await slow.get()) // 7
// #endregion

// #region failure
const failed = await reserve.delay('tea')
try {
  await failed.get()
} catch (error) {
  console.log(error instanceof OutOfStockError, String(error)) // true OutOfStockError: no tea left
}
const error = await failed.get({ propagate: false })
console.log(error === failed.result, await failed.failed()) // true true
console.log((await failed.traceback())?.includes('no tea left')) // true
// #endregion

// #region progress
const importing = await imports.delay()
const seen: string[] = []
await importing.get({ onProgress: ({ state }) => seen.push(state) })
console.log(seen.at(-1)) // SUCCESS
// #endregion

// #region signal
const stop = new AbortController()
const waiting = (await add.delay(1, 1)).get({ signal: stop.signal })
stop.abort(new Error('the visitor has gone'))
console.log(await waiting.catch(String)) // Error: the visitor has gone
// #endregion

// #region by-id
const elsewhere = app.AsyncResult(result.id)
console.log(await elsewhere.get(), elsewhere.taskName) // 15 shop.add
console.log(await elsewhere.args(), await elsewhere.retries()) // [ 5, 10 ] 0

const unknown = app.AsyncResult('00000000-0000-4000-8000-000000000000')
console.log(await unknown.state(), await unknown.exists()) // PENDING false
// #endregion

// #region forget
await result.forget()
console.log(await result.exists()) // false
// #endregion

// #region on-ready
const later = await add.delay(20, 22)
await later.onReady((ended) => console.log(ended.result)) // 42
// #endregion

await worker.stop()
await app.close()

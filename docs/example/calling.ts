import { Lovage } from 'lovage'
import { startWorker } from 'lovage/testing'

const app = new Lovage('shop', { broker: 'memory://', backend: 'memory://' })
const add = app.task('shop.add', (x: number, y: number) => x + y)
const report = app.task('shop.report', (value: unknown) => `reported ${String(value)}`)

await using worker = await startWorker(app, { queues: ['celery', 'math'] })

// #region delay
const result = await add.delay(5, 10)
console.log(await result.get()) // 15
// #endregion

// #region options
const planned = await add.applyAsync([5, 10], {
  countdown: { milliseconds: 20 },
  expires: { hours: 1 },
  queue: 'math',
  priority: 5,
})
console.log(await planned.get()) // 15
// #endregion

// #region expires
const late = await add.applyAsync([1, 1], { expires: new Date(Date.now() - 1000) })
console.log(await late.get().catch(String)) // TaskRevokedError: expired
// #endregion

// #region link
const reported = report.s()
await (await add.applyAsync([2, 3], { link: reported })).get()
// #endregion

// #region bulk
const results = await add.bulk([
  [1, 1],
  [2, 2],
  [3, 3],
])
console.log(await Promise.all(results.map((sum) => sum.get()))) // [ 2, 4, 6 ]
// #endregion

// #region by-name
const foreign = await app.sendTask('shop.add', { args: [20, 22] })
console.log(await foreign.get()) // 42
// #endregion

// #region eager
const eager = await add.apply([1, 2])
console.log(await eager.state(), await eager.get()) // SUCCESS 3
// #endregion

// #region own-id
const invoice = await add.applyAsync([7, 7], { taskId: 'invoice-7', headers: { tenant: 'acme' } })
console.log(invoice.id) // invoice-7
// #endregion
await invoice.get()

await worker.stop()
await app.close()

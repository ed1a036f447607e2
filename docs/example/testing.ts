import {
  allEnqueued,
  assertEnqueued,
  drain,
  ManualClock,
  performTask,
  refuteEnqueued,
  startWorker,
  TestApp,
  waitFor,
  waitForTask,
} from 'lovage/testing'

// #region perform
const app = new TestApp()
const add = app.task('shop.add', (x: number, y: number) => x + y)

const performed = await performTask(add, [2, 3])
console.log(await performed.state(), await performed.get()) // SUCCESS 5
// #endregion

// #region enqueued
await add.applyAsync([20, 22], { queue: 'math' })

await assertEnqueued(app, add, { args: [20, 22], queue: 'math', count: 1 })
refuteEnqueued(app, 'shop.subtract')
console.log(allEnqueued(app).map(({ task }) => task)) // [ 'shop.add' ]
// #endregion

// #region drain
console.log(await drain(app, { queues: ['math'] })) // { success: 1, failure: 0, retry: 0, ignored: 0, rejected: 0 }
// #endregion

// #region worker
await using worker = await startWorker(app)

const result = await add.delay(5, 10)
console.log(await result.get(1)) // 15
// #endregion

// #region wait
void add.delay(1, 1)

const { value } = await waitForTask(app, add, { where: ({ args }) => args[0] === 1 })
console.log(value) // 2
// #endregion
console.log(await waitFor(await add.delay(3, 3))) // 6
await worker.stop()
await app.close()

// #region clock
const clock = new ManualClock()
const timed = new TestApp({}, { clock })
const remind = timed.task('shop.remind', (what: string) => what)

await remind.applyAsync(['call back'], { countdown: { hours: 3 } })
console.log((await drain(timed)).success) // 0
await clock.advance({ hours: 3 })
console.log((await drain(timed)).success) // 1
// #endregion
await timed.close()

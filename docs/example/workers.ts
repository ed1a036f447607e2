import { Lovage } from 'lovage'
// #region own-process
import { Worker } from 'lovage/worker'
// #endregion

await using app = new Lovage('shop', { broker: 'memory://', backend: 'memory://' })
const add = app.task('shop.add', (x: number, y: number) => x + y)

// #region own-process
await using worker = new Worker(app, { concurrency: 20 })
await worker.start()
// #endregion

console.log(await (await add.delay(1, 2)).get(5)) // 3

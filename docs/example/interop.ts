import { Lovage } from 'lovage'

// #region app
const app = new Lovage('shop', {
  broker: 'redis://localhost:6379/0',
  backend: 'redis://localhost:6379/1',
  // Tasks of the Python code base live in another queue.
  taskRoutes: { 'python.*': { queue: 'celery' } },
  taskDefaultQueue: 'node',
})
// #endregion

// #region task
const resize = app.task(
  { name: 'shop.tasks.resize', params: ['path', 'width?'] },
  (path: string, width = 100) => `${path} at ${width}`,
)

console.log(resize('a.png')) // a.png at 100
// #endregion

// #region errors
class NotEnough extends Error {
  readonly missing: number

  constructor(missing: number) {
    super(`${missing} are missing`)
    this.missing = missing
  }
}

app.registerError(NotEnough, {
  excModule: 'shop.errors',
  excType: 'NotEnough',
  excMessage: (error) => [error.missing],
})
// #endregion

await app.close()

import { setTimeout as sleep } from 'node:timers/promises'

import { Lovage } from 'lovage'

/** No broker is named: messages and results wait in `.lovage/queue.sqlite` beside the package.json above this file. */
export const app = new Lovage('demo', { lease: 3 })

export const add = app.task('tasks.add', (x: number, y: number) => x + y)

export const slowAdd = app.task('tasks.slowAdd', async (x: number, y: number) => {
  await sleep(5000)
  return x + y
})

/** Fails twice, then works. */
export const unsteady = app.task({ name: 'tasks.unsteady', bind: true }, (self, text: string) => {
  const { retries } = self.request
  if (retries < 2) throw self.retry({ countdown: 1, exc: new Error(`try ${retries + 1} of ${text}`) })
  return `${text}: done at try ${retries + 1}`
})

export const divide = app.task('tasks.divide', (x: number, y: number) => {
  if (y === 0) throw new RangeError('division by zero')
  return x / y
})

/** Says which process runs it, then takes its time. */
export const survive = app.task({ name: 'tasks.survive', bind: true }, async (self, seconds: number) => {
  await self.updateState({ state: 'PROGRESS', meta: { pid: process.pid } })
  await sleep(seconds * 1000)
  return { pid: process.pid, delivery: self.request.deliveryInfo.deliveryCount }
})

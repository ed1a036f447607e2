import { afterEach, describe, expect, it } from '@jest/globals'
import { Lovage } from '../../../src/index.js'
import { internalsOf } from '../../../src/util/internals.js'

/** Above what a call takes as spread arguments. */
const MANY = 130_000

describe('very many calls in one turn of the event loop', () => {
  const app = new Lovage('many', { broker: 'memory://', backend: false, publishTimeout: 60 })
  const task = app.task('many.task', () => undefined)

  afterEach(() => app.close())

  it('are all sent', async () => {
    await Promise.all(Array.from({ length: MANY }, () => task.delay()))

    const broker = await internalsOf(app).broker()
    expect(await broker.depth('celery')).toBe(MANY)
  })
})

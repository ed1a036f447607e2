import { describe, expect, it } from '@jest/globals'
import { z } from 'zod'

import { Lovage, sharedTask, Task, taskOf, TaskArgumentsError } from '../../../src/index.js'
import { startWorker } from '../../../src/testing/index.js'
import { randomName } from '../../support/temp.js'
import { Stage } from './stage.js'
import { internalsOf } from '../../../src/util/internals.js'

describe('every form of a task is run by one worker', () => {
  it('functions, named and not, with options before and after, bound and not, async and not', async () => {
    await using stage = await Stage.open('memory')
    const { app } = stage
    const forms = [
      app.task(function add(x: number, y: number) {
        return x + y
      }),
      app.task('shop.add2', (x: number, y: number) => x + y),
      app.task('shop.add3', async (x: number, y: number) => Promise.resolve(x + y)),
      app.task({ name: 'shop.add4', maxRetries: 1 }, (x: number, y: number) => x + y),
      app.task('shop.add5', { maxRetries: 1 }, (x: number, y: number) => x + y),
      app.task('shop.add6', (x: number, y: number) => x + y, { maxRetries: 1 }),
      app.task(
        { name: 'shop.add7', bind: true },
        (self, x: number, y: number) => x + y + self.request.retries,
      ),
      app.task('shop.add8', { bind: true }, (self, x: number, y: number) => x + y + self.request.retries),
    ]
    await stage.work()

    const values = await Promise.all(forms.map(async (form) => (await form.delay(1, 2)).get(5)))

    expect(forms.map(({ name }) => name)).toEqual([
      'shop.add',
      ...[2, 3, 4, 5, 6, 7, 8].map((number) => `shop.add${number}`),
    ])
    expect(values).toEqual(forms.map(() => 3))
    expect([...app.tasks.keys()]).toEqual(expect.arrayContaining(forms.map(({ name }) => name)))
  })

  it('a class, made once for a hundred tasks, and decorated methods', async () => {
    await using stage = await Stage.open('memory')
    let made = 0
    class Add extends Task {
      override readonly name = 'shop.add'
      readonly #base: number
      constructor() {
        super()
        made++
        this.#base = 100
      }

      run(x: number): [number, string] {
        return [this.#base + x, this.request.id]
      }
    }
    class Mailer {
      readonly greeting = 'Dear'

      @stage.app.task({ maxRetries: 2 })
      write(name: string): string {
        return `${this.greeting} ${name}`
      }

      @stage.app.task('shop.count')
      static count(text: string): number {
        return text.length
      }
    }
    const add = stage.app.registerTask(new Add())
    const mailer = new Mailer()
    await stage.work()

    const results = await add.bulk(Array.from({ length: 100 }, (_, index) => [index]))
    const values = await Promise.all(results.map(async (result) => result.get(5)))
    const written = await taskOf(mailer.write).delay('Ada')
    const counted = await taskOf(Mailer.count).delay('four')

    expect(values).toEqual(results.map(({ id }, index) => [100 + index, id]))
    expect(made).toBe(1)
    expect([written.taskName, await written.get(5)]).toEqual(['shop.Mailer.write', 'Dear Ada'])
    expect([counted.taskName, await counted.get(5)]).toEqual(['shop.count', 4])
    expect(mailer.write('Ada')).toBe('Dear Ada')
  })

  it('a shared task joins two apps, each on its own store; each worker sees its own calls', async () => {
    const name = randomName('shared')
    const where = sharedTask(name, (text: string) => text.toUpperCase())
    await using one = await Stage.open('memory')
    await using other = await Stage.open('memory')
    other.app.task('only.here', () => 'here')
    await one.work()

    const here = await one.app.sendTask<string>(name, { args: ['one'] })
    const there = await other.app.sendTask<string>(name, { args: ['two'] })

    expect(where('x')).toBe('X')
    expect(await here.get(5)).toBe('ONE')
    expect(await there.state()).toBe('PENDING')
    expect(one.app.tasks.has('only.here')).toBe(false)
    await other.work()
    expect(await there.get(5)).toBe('TWO')
  })

  it('a schema converts at both ends; what a foreign client sends wrongly fails without running', async () => {
    await using stage = await Stage.open('memory')
    let ran = 0
    const due = stage.app.task(
      { name: 'shop.due', args: z.tuple([z.coerce.number(), z.string().toUpperCase()]) },
      (sum: number, currency: string) => {
        ran++
        return `${sum + 1} ${currency}`
      },
    )
    await stage.work()
    await using client = new Lovage('client', {
      broker: stage.url,
      backend: stage.url,
    })

    const converted = await client.sendTask('shop.due', { args: ['41', 'eur'] })
    const wrong = await client.sendTask('shop.due', { args: ['many', 'eur'] })

    expect(await converted.get(5)).toBe('42 EUR')
    await expect(wrong.get(5)).rejects.toThrow(/NaN|number/)
    await expect(stage.app.sendTask('shop.due', { args: [{}, 'eur'] })).rejects.toThrow(TaskArgumentsError)
    expect(due.name).toBe('shop.due')
    expect(ran).toBe(1)
  })

  it('a wrong number of arguments is refused at the call; without typing the worker refuses it', async () => {
    await using stage = await Stage.open('memory')
    let ran = 0
    const body = (x: number, y: number): number => {
      ran++
      return x + y
    }
    stage.app.task('shop.checked', body)
    stage.app.task({ name: 'shop.unchecked', typing: false }, body)
    await stage.work()

    await expect(stage.app.sendTask('shop.checked', { args: [8] })).rejects.toThrow(TaskArgumentsError)
    const unchecked = await stage.app.sendTask('shop.unchecked', { args: [8] })

    await expect(unchecked.get(5)).rejects.toThrow(TypeError)
    expect(ran).toBe(0)
  })
})

it('a schema may fill in what the call leaves out, and sees the arguments bound by name at both ends', async () => {
  await using stage = await Stage.open('memory')
  const args = z.tuple([z.number(), z.string().default('EUR')])
  const body = (sum: number, currency: string): string => `${sum} ${currency}`
  stage.app.task({ name: 'shop.filled', args }, body)
  stage.app.task({ name: 'shop.named', args, params: ['sum', 'currency?'] }, body)
  await stage.work()

  const filled = await stage.app.sendTask('shop.filled', { args: [1] })
  const named = await stage.app.sendTask('shop.named', { kwargs: { currency: 'CHF', sum: 2 } })

  expect([await filled.get(5), await named.get(5)]).toEqual(['1 EUR', '2 CHF'])
})

describe('an app', () => {
  it('whose broker cannot be reached can define and list tasks', async () => {
    await using app = new Lovage('shop', { broker: 'sqlite:////proc/no/such/folder/q.sqlite' })
    app.task('shop.add', (x: number, y: number) => x + y)

    expect([...app.tasks.keys()]).toContain('shop.add')
    expect(app.conf.taskDefaultQueue).toBe('celery')
  })

  it('tells its milestones once each, in order, and what they change counts', async () => {
    await using stage = await Stage.open('memory')
    const seen: string[] = []
    stage.app.onAfterFinalize(() => {
      seen.push('finalize')
    })
    stage.app.onAfterConfigure(() => {
      seen.push('configured')
    })
    stage.app.onConfigure(() => {
      seen.push('configure')
      stage.app.conf.update({ taskDefaultQueue: 'math' })
    })
    stage.app.task('shop.one', () => 1)

    await internalsOf(stage.app).loadTaskModules()
    await using worker = await startWorker(stage.app)
    const result = await stage.app.sendTask('shop.one')

    expect(await result.get(5)).toBe(1)
    expect(seen).toEqual(['configure', 'configured', 'finalize'])
    expect(worker.banner.queues).toMatchObject([{ name: 'math' }])
  })
})

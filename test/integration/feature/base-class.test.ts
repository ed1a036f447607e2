import { describe, expect, it } from '@jest/globals'
import { eventually } from '../../conformance/time.js'

import { Lovage, sharedTask, Task, TaskError, type HandlerEvent, type JoinedApp } from '../../../src/index.js'
import { randomName } from '../../support/temp.js'
import { Stage } from './stage.js'

let connections = 0
const joined: string[] = []
const ended: string[] = []

/** Holds what all runs of a task share, as a database handle. */
abstract class WithDatabase extends Task {
  override readonly options = { maxRetries: 7, queue: 'database' }
  readonly connection: number = ++connections

  override onBound(app: JoinedApp): void {
    joined.push(app.main)
  }

  onSuccess({ value }: HandlerEvent): void {
    ended.push(`${this.connection} ${String(value)}`)
  }
}

describe('a base class', () => {
  it('is made once for all runs of a task, whose function runs on it', async () => {
    await using stage = await Stage.open('memory', { taskQueues: ['celery', 'database'] })
    const before = connections
    const read = stage.app.task(
      { name: 'shop.read', base: WithDatabase },
      function (this: WithDatabase, row: number) {
        return [this.connection, row]
      },
    )
    await stage.work()

    const results = await read.bulk(Array.from({ length: 100 }, (_, row) => [row]))
    const values = await Promise.all(results.map(async (result) => result.get(5)))

    expect(connections).toBe(before + 1)
    expect(values).toEqual(values.map((_, row) => [connections, row]))
    expect(read(1)).toEqual([connections, 1])
    await eventually(() => ended.length === 100)
  })

  it('gives its options to tasks that do not say otherwise, and not its name', () => {
    const app = new Lovage('shop', { broker: 'memory://' })
    const plain = app.task({ name: 'shop.plain', base: WithDatabase }, () => 1)
    const own = app.task({ name: 'shop.own', base: WithDatabase, maxRetries: 1 }, () => 1)

    expect(plain.definition.options).toMatchObject({ maxRetries: 7, queue: 'database' })
    expect(own.definition.options).toMatchObject({ maxRetries: 1, queue: 'database' })
    expect(plain.name).toBe('shop.plain')
  })

  it('can be given with the app, as taskCls', () => {
    const app = new Lovage('shop', { broker: 'memory://' }, { taskCls: WithDatabase })

    expect(app.Task).toBe(WithDatabase)
    expect(app.task('shop.any', () => 1).definition.options).toMatchObject({ maxRetries: 7 })
  })

  it('can be that of every task of an app, but not of those defined before', () => {
    const app = new Lovage('shop', { broker: 'memory://' })
    const before = app.task('shop.before', () => 1)
    app.Task = WithDatabase
    const after = app.task('shop.after', () => 1)

    expect(before.definition.options.maxRetries).toBeUndefined()
    expect(after.definition.options.maxRetries).toBe(7)
  })

  it('hears of each app that one of its tasks joins', () => {
    joined.length = 0
    const [one, other] = [randomName('one'), randomName('other')]
    const apps = [new Lovage(one, { broker: 'memory://' })]
    class Read extends Task {
      override readonly name = randomName('read')
      override onBound({ main }: JoinedApp): void {
        joined.push(main)
      }

      run(): number {
        return 1
      }
    }
    apps[0]?.registerTask(new Read())
    expect(joined).toEqual([one])

    sharedTask({ name: randomName('shared'), base: WithDatabase }, () => 1)
    apps.push(new Lovage(other, { broker: 'memory://' }))

    expect(joined.filter((main) => [one, other].includes(main))).toEqual([one, one, other])
  })

  it('must be a task class', () => {
    const app = new Lovage('shop', { broker: 'memory://' })
    const define = (base: unknown): unknown =>
      Reflect.apply(app.task, app, [{ name: 'shop.x', base }, () => 1])

    expect(() => define(Date)).toThrow(TaskError)
    expect(() => define('Base')).toThrow(/expected base to be a class that extends Task/)
  })
})

it('an app may name its tasks in its own way', () => {
  const app = new Lovage('shop', { broker: 'memory://' })
  app.genTaskName = (name, module) => `acme.${module}.${name}`
  function add(x: number): number {
    return x
  }

  expect(app.task(add).name).toBe('acme.shop.add')
  expect(app.task('shop.explicit', (x: number) => x).name).toBe('shop.explicit')
})

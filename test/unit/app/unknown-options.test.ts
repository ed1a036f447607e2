import { describe, expect, it } from '@jest/globals'

import { Beat } from '../../../src/beat/index.js'
import { AsyncResult, crontab, every, signature, solar } from '../../../src/index.js'
import {
  allEnqueued,
  drain,
  performTask,
  startWorker,
  TestApp,
  waitFor,
  waitForTask,
} from '../../../src/testing/index.js'
import { Worker } from '../../../src/worker/index.js'
import { internalsOf } from '../../../src/util/internals.js'

/** What a caller in JavaScript may write. */
function misspelled(options: object): never {
  return options as never
}

/** The message that a call is refused with, thrown or rejected; `undefined` when it is taken. */
async function refusal(call: () => unknown): Promise<string | undefined> {
  try {
    await call()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

describe('an option that does not exist is refused with the one that was meant', () => {
  class OwnError extends Error {}

  it.each<[what: string, options: object, meant: string, call: (app: TestApp, options: never) => unknown]>([
    ['app.task', { name: 'a', maxRetris: 1 }, 'maxRetries', (app, given) => app.task(given, () => 1)],
    [
      'retryKwargs',
      { retryKwargs: { coutdown: 1 } },
      'countdown',
      (app, given) => app.task('a', given, () => 1),
    ],
    [
      'periodicTask',
      { name: 'a', runEvery: 5, timezon: 'UTC' },
      'timezone',
      (app, given) => app.periodicTask(given, () => 1),
    ],
    [
      'applyAsync',
      { count_down: 1 },
      'countdown',
      (app, given) => app.task('a', () => 1).applyAsync([], given),
    ],
    ['sendTask', { priorty: 1 }, 'priority', (app, given) => app.sendTask('a', given)],
    ['apply', { trow: true }, 'throw', (app, given) => app.task('a', () => 1).apply([], given)],
    ['bulk', { quue: 'a' }, 'queue', (app, given) => app.task('a', () => 1).bulk([[]], given)],
    ['signature', { kwarg: {} }, 'kwargs', (_app, given) => signature('a', given)],
    ['signature options', { quue: 'a' }, 'queue', (_app, given) => signature('a', { options: given })],
    ['signature set', { quue: 'a' }, 'queue', (_app, given) => signature('a').set(given)],
    ['task.signature', { quue: 'a' }, 'queue', (app, given) => app.task('a', () => 1).signature([], given)],
    [
      's().set',
      { quue: 'a' },
      'queue',
      (app, given) =>
        app
          .task('a', () => 1)
          .s()
          .set(given),
    ],
    [
      'link',
      { task: 'b', arg: [1], kwargs: {}, options: {} },
      'args',
      (app, given) => app.task('a', () => 1).applyAsync([], { link: given }),
    ],
    [
      'options of linkError',
      { quue: 'a' },
      'queue',
      (app, given) => app.sendTask('a', { linkError: [{ task: 'b', args: [], kwargs: {}, options: given }] }),
    ],
    [
      'options of a link of a link',
      { task_ud: 'a' },
      'task_id',
      (app, given) => {
        const last = { task: 'c', args: [], kwargs: {}, options: given }
        return app.sendTask('a', { link: { task: 'b', args: [], kwargs: {}, options: { link: last } } })
      },
    ],
    [
      'link of apply',
      { task: 'b', args: [], kwargs: {}, option: {} },
      'options',
      (app, given) => app.task('a', () => 1).apply([], { link: given }),
    ],
    [
      'taskRoutes',
      { expire: 1 },
      'expires',
      (app, given) => {
        app.conf.taskRoutes = { a: given }
        return app.sendTask('a')
      },
    ],
    [
      'registerError',
      { excModule: 'a', excTyp: 'b' },
      'excType',
      (app, given) => app.registerError(OwnError, given),
    ],
    ['Lovage', { cloc: 1 }, 'clock', (_app, given) => new TestApp({}, given)],
    ['get', { timout: 1 }, 'timeout', (app, given) => app.AsyncResult('a').get(given)],
    [
      'onReady',
      { singal: 1 },
      'signal',
      (app, given) => app.AsyncResult('a').onReady(() => undefined, given),
    ],
    ['AsyncResult', { app: 1, taskNam: 'a' }, 'taskName', (_app, given) => new AsyncResult('a', given)],
    ['crontab', { minut: 1 }, 'minute', (_app, given) => crontab(given)],
    ['every', { relativ: true }, 'relative', (_app, given) => every(5, given)],
    ['crontab next', { timezon: 'UTC' }, 'timezone', (_app, given) => crontab().next(0, given)],
    ['every next', { timezon: 'UTC' }, 'timezone', (_app, given) => every(5).next(0, given)],
    ['solar next', { timezon: 'UTC' }, 'timezone', (_app, given) => solar('sunset', 1, 1).next(0, given)],
    [
      'addPeriodicTask',
      { quee: 'a' },
      'queue',
      (app, given) => app.addPeriodicTask(5, signature('a'), given),
    ],
    [
      'beatSchedule',
      { task: 'a', schedule: 5, enable: false },
      'enabled',
      (app, given) => internalsOf(app).periodic.add('a', given),
    ],
    [
      'catchUp',
      { policy: 'all', windows: 5 },
      'window',
      (app, given) => internalsOf(app).periodic.add('a', { task: 'a', schedule: 5, catchUp: given }),
    ],
    ['configFromObject', { namespac: 'A' }, 'namespace', (app, given) => app.configFromObject({}, given)],
    ['configFromEnvvar', { silen: true }, 'silent', (app, given) => app.configFromEnvvar('NONE', given)],
    [
      'autodiscoverTasks',
      { relatedNam: 'a' },
      'relatedName',
      (app, given) => app.autodiscoverTasks([], given),
    ],
    ['humanize', { censord: false }, 'censored', (app, given) => app.conf.humanize(given)],
    [
      'taskQueues',
      { bindngKey: 'a' },
      'bindingKey',
      (app, given) => {
        app.conf.taskQueues = { a: given }
        return internalsOf(app).queues()
      },
    ],
    ['Worker', { concurency: 1 }, 'concurrency', (app, given) => new Worker(app, given)],
    ['stop', { hrd: true }, 'hard', (app, given) => new Worker(app).stop(given)],
    ['Beat', { onTik: 1 }, 'onTick', (app, given) => new Beat(app, given)],
    ['startWorker', { queus: [] }, 'queues', (app, given) => startWorker(app, given)],
    ['drain', { limi: 1 }, 'limit', (app, given) => drain(app, given)],
    ['waitFor', { timout: 1 }, 'timeout', (app, given) => waitFor(app.AsyncResult('a'), 'SUCCESS', given)],
    ['waitForTask', { stat: 'SENT' }, 'state', (app, given) => waitForTask(app, 'a', given)],
    ['allEnqueued', { queu: 'a' }, 'queue', (app, given) => allEnqueued(app, 'a', given)],
    [
      'performTask',
      { retrys: 1 },
      'retries',
      (app, given) =>
        performTask(
          app.task('a', () => 1),
          [],
          given,
        ),
    ],
  ])('%s', async (_what, options, meant, call) => {
    await using app = new TestApp()

    expect(await refusal(() => call(app, misspelled(options)))).toMatch(
      new RegExp(`did you mean "${meant}"\\?`),
    )
  })

  it.each<[what: string, meant: string, body: string]>([
    ['retry', 'countdown', 'retry'],
    ['updateState', 'meta', 'updateState'],
  ])('self.%s', async (_what, meant, called) => {
    await using app = new TestApp()
    const task = app.task({ name: 'a', bind: true }, async (self) => {
      if (called === 'retry') throw self.retry(misspelled({ countdwn: 1 }))
      await self.updateState(misspelled({ state: 'A', mta: 1 }))
    })

    const result = await task.apply([])

    expect(await refusal(() => result.get())).toContain(`did you mean "${meant}"?`)
  })
})

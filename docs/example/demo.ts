/**
 * The main job of a task queue, shown and checked: `npm run demo`.
 *
 * A worker runs as a process of its own on the embedded default, in a temporary folder that is removed at the end.
 */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

import { TaskFailedError, TimeoutError } from 'lovage'

import { Place } from './demo/place.js'
import { Stage } from './demo/stage.js'
import { add, app, divide, slowAdd, survive, unsteady } from './demo/tasks.js'

const stage = new Stage()
const place = await Place.create()
// The worker finds this file by itself; this process was started elsewhere and has to be told.
app.conf.update({ broker: place.embeddedUrl })

try {
  await main()
} catch (error) {
  stage.check(error instanceof Error ? (error.stack ?? error.message) : String(error), false)
} finally {
  await app.close()
  await place.remove()
}
stage.title(
  stage.failures === 0 ? `Everything as told, in ${stage.seconds} s.` : `${stage.failures} not as told.`,
)
process.exit(stage.failures === 0 ? 0 : 1)

async function main(): Promise<void> {
  await aTaskIsAFunction()
  const worker = await aTaskIsSent()
  await waitingWithALimit()
  await retrying()
  await later()
  await periodically()
  await failing()
  await byName()
  await endWarmly(await aWorkerIsKilled(worker), 'worker 2')
}

async function aTaskIsAFunction(): Promise<void> {
  stage.title('A task is still its function')
  await stage.show(
    'add(1, 2)',
    () => add(1, 2),
    (value) => value === 3,
  )
  await stage.show(
    'add.run(1, 2)',
    () => add.run(1, 2),
    (value) => value === 3,
  )
}

async function aTaskIsSent(): Promise<ChildProcess> {
  stage.title('delay() sends it: the message waits in the embedded file until a worker comes')
  const result = await add.delay(5, 10)
  await stage.show(
    'const result = await add.delay(5, 10); result.taskName',
    () => result.taskName,
    (name) => name === 'tasks.add',
  )
  await stage.show(
    'await result.ready()',
    () => result.ready(),
    (value) => !value,
  )
  const worker = await startWorker('worker 1')
  await stage.show(
    'await result.get()',
    () => result.get(),
    (value) => value === 15,
  )
  await stage.show(
    'await result.ready()',
    () => result.ready(),
    (value) => value,
  )
  await stage.show(
    'await result.successful()',
    () => result.successful(),
    (value) => value,
  )
  return worker
}

async function waitingWithALimit(): Promise<void> {
  stage.title('get(3) waits three seconds at most; the task takes five and is not disturbed')
  const result = await slowAdd.delay(20, 22)
  await stage.showError(
    'await result.get(3)',
    () => result.get(3),
    (error) => error instanceof TimeoutError,
  )
  await stage.show(
    'await result.get()',
    () => result.get(),
    (value) => value === 42,
  )
}

async function retrying(): Promise<void> {
  stage.title('A task that asks to be tried again, a second later')
  const result = await unsteady.delay('parcel')
  await stage.show(
    'await (await unsteady.delay("parcel")).get()',
    () => result.get(30),
    (text) => text === 'parcel: done at try 3',
  )
}

async function later(): Promise<void> {
  stage.title('A task for later waits in the store, not in a worker')
  const startedMs = performance.now()
  const result = await add.applyAsync([1, 1], { countdown: 2 })
  await stage.show(
    'await (await add.applyAsync([1, 1], { countdown: 2 })).get()',
    () => result.get(20),
    (value) => value === 2,
  )
  const seconds = (performance.now() - startedMs) / 1000
  stage.say(`after ${seconds.toFixed(2)} s`)
  stage.check('not before its time', seconds >= 2)
}

async function periodically(): Promise<void> {
  stage.title('A periodic task: the beat inside of the worker (worker --beat) sends it each second')
  await app.beat.upsert('tick', { task: 'tasks.add', schedule: { seconds: 1 }, args: [20, 3] })
  const sent = async (): Promise<Date | undefined> => {
    const entry = (await app.beat.list()).find(({ name }) => name === 'tick')
    return entry?.last
  }
  const seen = new Set<number>()
  const endMs = performance.now() + 20_000
  while (seen.size < 3 && performance.now() < endMs) {
    const last = await sent()
    if (last !== undefined) seen.add(last.getTime())
    await sleep(50)
  }
  const times = [...seen]
  for (const ms of times) stage.say(`due at ${new Date(ms).toISOString()}`)
  stage.check('three times', times.length === 3)
  const apart = times.slice(1).map((ms, index) => ms - (times[index] ?? 0))
  stage.check(
    `whole seconds apart (${apart.join(', ')} ms)`,
    apart.every((ms) => ms > 0 && ms % 1000 === 0),
  )
  await app.beat.remove('tick')
}

async function failing(): Promise<void> {
  stage.title('A task that fails: its error comes back, with the stack of the worker')
  const result = await divide.delay(1, 0)
  const error = await stage.showError(
    'await (await divide.delay(1, 0)).get()',
    () => result.get(20),
    (thrown) => thrown.message.includes('division by zero'),
  )
  const stack = error instanceof TaskFailedError ? error.remote.traceback : await result.traceback()
  for (const line of (stack ?? '').split('\n').slice(0, 6)) stage.heard('stack', line)
  stage.check('the stack names the line of the task', (stack ?? '').includes('tasks.ts:'))
  await stage.show(
    'await result.successful()',
    () => result.successful(),
    (value) => !value,
  )
}

async function byName(): Promise<void> {
  stage.title('The command line sends tasks by name and reads results, too')
  const id = await stage.show(
    "$ lovage -A ./tasks.ts call tasks.add --args '[2, 3]'",
    () => place.run(['-A', './tasks.ts', 'call', 'tasks.add', '--args', '[2, 3]']),
    (printed) => /^[0-9a-f-]{36}$/.test(printed),
  )
  await stage.show(
    `$ lovage -A ./tasks.ts result ${id}`,
    () => place.run(['-A', './tasks.ts', 'result', id]),
    (printed) => printed === '5',
  )
}

/** Kill the worker in the middle of a task; resolves with the worker that did it instead. */
async function aWorkerIsKilled(first: ChildProcess): Promise<ChildProcess> {
  stage.title('A worker is killed in the middle of a task: nothing is lost')
  const result = await survive.delay(4)
  const pid = await pidOfRun(result)
  stage.say(`process ${pid} runs it; kill -9`)
  stage.check('the worker runs it', pid === first.pid)
  first.kill('SIGKILL')
  await once(first, 'exit')
  await stage.show(
    'await result.ready()',
    () => result.ready(),
    (value) => !value,
  )
  const second = await startWorker('worker 2')
  stage.say(
    'The claim of the dead worker runs out after 3 s (the setting `lease`); then the message is free again.',
  )
  const value = await stage.show(
    'await result.get()',
    () => result.get(40),
    (done) => done.pid === second.pid,
  )
  stage.say(`delivery ${value.delivery} of the message, by process ${value.pid}`)
  return second
}

async function pidOfRun(result: Awaited<ReturnType<typeof survive.delay>>): Promise<number> {
  const seen = new AbortController()
  let pid = 0
  const waiting = result.get({
    timeout: 20,
    signal: seen.signal,
    onProgress: ({ state, info }) => {
      if (state !== 'PROGRESS' || typeof info !== 'object' || info === null || !('pid' in info)) return
      pid = Number(info.pid)
      seen.abort()
    },
  })
  await waiting.catch((error: unknown) => {
    if (!seen.signal.aborted) throw error
  })
  return pid
}

async function startWorker(name: string): Promise<ChildProcess> {
  console.log('  $ lovage -A ./tasks.ts worker --beat -l info')
  let ready = (): void => {}
  const isReady = new Promise<void>((resolve) => {
    ready = resolve
  })
  const worker = place.lovage(
    ['-A', './tasks.ts', 'worker', '--beat', '-l', 'info', '--log-format', 'text'],
    (line) => {
      stage.heard(name, line)
      if (line.includes('ready')) ready()
    },
  )
  await Promise.race([isReady, once(worker, 'exit')])
  stage.check('the worker has started', worker.exitCode === null)
  return worker
}

async function endWarmly(worker: ChildProcess, name: string): Promise<void> {
  stage.title('SIGTERM: the worker ends what it runs, gives back the rest, and leaves with exit code 0')
  worker.kill('SIGTERM')
  const [code] = await once(worker, 'exit')
  stage.say(`${name} ended with exit code ${String(code)}`)
  stage.check('exit code 0', code === 0)
}

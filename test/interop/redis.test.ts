import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Lovage } from '../../src/index.js'
import { startWorker } from '../../src/testing/index.js'
import { Child } from '../support/child.js'
import { serviceUrl } from '../support/service-url.js'
import { tempFolder } from '../support/temp.js'

const server = serviceUrl('redis')
/** A Python in which `pip install 'celery[redis]==5.7.*'` was done. */
const python = process.env['LOVAGE_TEST_CELERY_PYTHON']
const describeHere = server === undefined || python === undefined ? describe.skip : describe

const url = `${(server ?? '').replace(/\/\d*$/, '')}/7`
const LIMIT_MS = 60_000

const PROJECT = `
import sys, time
from celery import Celery
queue = sys.argv.pop() if sys.argv[-1].startswith('py-') else 'celery'
app = Celery('proj', broker='${url}', backend='${url}')
app.conf.task_default_queue = queue

@app.task(name='py.add')
def add(x, y): return x + y

@app.task(name='py.fail')
def fail(text): raise ValueError(text)

@app.task(name='py.retry', bind=True)
def retry(self, x):
    if self.request.retries == 0: raise self.retry(countdown=0.2)
    return [x, self.request.retries]
`

const CLIENT = `
import json, sys, time
from proj import app
queue = sys.argv[1]
call = lambda name, *args, **options: app.send_task(name, args=args, queue=queue, **options)
out = {}
out['add'] = call('node.add', 1, 2).get(timeout=20)
out['kwargs'] = app.send_task('node.add', kwargs={'x': 3, 'y': 4}, queue=queue).get(timeout=20)
out['unicode'] = call('node.echo', 'größe 値').get(timeout=20)
out['large'] = len(call('node.echo', 'x' * 2**20).get(timeout=20))
began = time.time()
out['countdown'] = call('node.add', 5, 6, countdown=1).get(timeout=20)
out['waited'] = time.time() - began >= 0.9
out['priority'] = call('node.add', 1, 1, priority=9).get(timeout=20)
out['retry'] = call('node.retry', 8).get(timeout=20)
try: call('node.fail', 'nope').get(timeout=20)
except Exception as error: out['fail'] = [type(error).__name__, str(error)]
print('OUT ' + json.dumps(out))
`

describeHere('Celery 5.7 on Redis', () => {
  let folder: Awaited<ReturnType<typeof tempFolder>>

  beforeAll(async () => {
    folder = await tempFolder('celery')
    await writeFile(folder.file('proj.py'), PROJECT)
    await writeFile(folder.file('client.py'), CLIENT)
  })

  afterAll(async () => {
    await folder.remove()
  })

  it(
    'sends to a Lovage worker and reads its results',
    async () => {
      const queue = `node-${randomUUID()}`
      const app = new Lovage('node', { broker: url, backend: url, taskDefaultQueue: queue })
      app.task({ name: 'node.add', params: ['x', 'y'] }, (x: number, y: number) => x + y)
      app.task('node.echo', (value: unknown) => value)
      app.task('node.fail', (text: string): never => {
        throw new RangeError(text)
      })
      app.task({ name: 'node.retry', bind: true }, (self, x: number) => {
        if (self.request.retries === 0) throw self.retry({ countdown: 0.1 })
        return [x, self.request.retries]
      })
      const worker = await startWorker(app)
      await using client = new Child(python ?? '', ['client.py', queue], { cwd: folder.path })
      const { stdout, stderr } = await client.exited
      await worker.stop()
      await app.close()

      expect(stderr).toBe('')
      expect(JSON.parse(stdout.slice(stdout.indexOf('OUT ') + 4))).toMatchObject({
        add: 3,
        kwargs: 7,
        unicode: 'größe 値',
        large: 2 ** 20,
        countdown: 11,
        waited: true,
        priority: 2,
        retry: [8, 1],
        fail: [expect.any(String), 'nope'],
      })
    },
    LIMIT_MS,
  )

  it(
    'runs what a Lovage client sends, and Lovage reads the results',
    async () => {
      const queue = `py-${randomUUID()}`
      const app = new Lovage('node', { broker: url, backend: url, taskDefaultQueue: queue })
      const args = ['-m', 'celery', '-A', 'proj', 'worker', '-P', 'solo', '-Q', queue, '-l', 'WARNING']
      await using worker = new Child(python ?? '', args, {
        cwd: folder.path,
        env: { PYTHONPATH: folder.path },
      })

      const added = await app.sendTask('py.add', { args: [2, 3], queue })
      expect(await added.get(30)).toBe(5)
      const retried = await app.sendTask('py.retry', { args: [4], queue })
      expect(await retried.get(30)).toEqual([4, 1])
      const failed = await app.sendTask('py.fail', { args: ['nö'], queue })
      await expect(failed.get(30)).rejects.toMatchObject({
        code: 'LOVAGE_TASK_FAILED',
        remote: { type: 'ValueError', module: 'builtins', args: ['nö'] },
      })
      const later = await app.sendTask('py.add', { args: [1, 1], countdown: 1, queue })
      expect(await later.get(30)).toBe(2)

      await app.close()
      await worker.stop()
    },
    LIMIT_MS,
  )
})

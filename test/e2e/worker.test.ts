import { describe, expect, it } from '@jest/globals'

import { createProject } from './project.js'

const LIMIT_MS = 60_000

describe('lovage worker', () => {
  it(
    'prints its banner with the embedded file, and a line for each task received and ended',
    async () => {
      await using project = await createProject()
      await using worker = await project.worker(['-l', 'info', '-c', '3', '-n', 'w1@%d.example'])
      await project.run(['-A', 'tasks', 'call', 'shop.add', '-a', '[5, 10]', '--task-id', 'one'])
      await project.run(['-A', 'tasks', 'call', 'shop.fail', '--task-id', 'two'])

      await worker.waitForLine(/Task shop\.add\[one\] received/)
      await worker.waitForLine(/Task shop\.add\[one\] succeeded in [\d.]+s: 15/)
      await worker.waitForLine(/Task shop\.fail\[two\] raised unexpected: .*no such parcel/)
      await worker.waitForLine(/tasks\.ts:\d+/)
      worker.kill('SIGTERM')
      const { code, stdout, stderr } = await worker.exited

      expect(code).toBe(0)
      expect(stdout).toContain('w1@')
      expect(stdout).toContain('shop (tasks.ts)')
      expect(stdout).toContain(`embedded file ${project.file('.lovage/queue.sqlite')}`)
      expect(stdout).toContain('3 (async)')
      expect(stdout).toContain('shop.nap')
      expect(stderr).not.toContain('\u001b[')
    },
    LIMIT_MS,
  )

  it(
    'writes JSON lines on a pipe, each of which parses, and no banner',
    async () => {
      await using project = await createProject()
      await using worker = project.start(['-A', 'tasks', 'worker'])
      await worker.waitForLine('ready.')
      await project.run(['-A', 'tasks', 'call', 'shop.add', '-a', '[5, 10]', '--task-id', 'one'])
      await worker.waitForLine('succeeded')
      worker.kill('SIGTERM')
      const { code, stdout, stderr } = await worker.exited
      const lines = stderr
        .trim()
        .split('\n')
        .map((line): unknown => JSON.parse(line))

      expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
      expect(lines[0]).toMatchObject({
        level: 'info',
        pool: 'async',
        tasks: expect.arrayContaining(['shop.add']),
      })
      expect(lines).toContainEqual(
        expect.objectContaining({
          level: 'info',
          id: 'one',
          task: 'shop.add',
          queue: 'celery',
          runtime: expect.any(Number),
        }),
      )
    },
    LIMIT_MS,
  )

  it(
    'the first SIGTERM lets the running task end and gives the rest back',
    async () => {
      await using project = await createProject()
      await using worker = await project.worker(['-c', '1', '--prefetch-multiplier', '1'])
      await project.run(['-A', 'tasks', 'call', 'shop.nap', '-a', '[6000]', '--task-id', 'runs'])
      await worker.waitForLine('shop.nap[runs] received')
      await project.run(['-A', 'tasks', 'call', 'shop.add', '-a', '[1, 1]', '--task-id', 'waits'])
      worker.kill('SIGTERM')
      const exit = await worker.exited
      const runs = await project.run(['-A', 'tasks', 'result', 'runs', '--timeout', '0'])
      const left = await project.run(['-A', 'tasks', 'purge', '-f'])

      expect(exit.code).toBe(0)
      expect(runs).toMatchObject({ code: 0, stdout: 'rested\n' })
      expect(left.stdout).toBe('Purged 1 message from celery.\n')
    },
    LIMIT_MS,
  )

  it(
    'the second signal stops at once with exit code 3, and the task is back in its queue',
    async () => {
      await using project = await createProject()
      await using worker = await project.worker()
      await project.run(['-A', 'tasks', 'call', 'shop.stop', '-a', '[60000]', '--task-id', 'long'])
      await worker.waitForLine('shop.stop[long] received')
      worker.kill('SIGINT')
      await worker.waitForLine('1 running')
      worker.kill('SIGTERM')
      const exit = await worker.exited
      const left = await project.run(['-A', 'tasks', 'purge', '-f'])

      expect(exit.code).toBe(3)
      expect(exit.stderr).toContain('shop.stop[long]')
      expect(left.stdout).toBe('Purged 1 message from celery.\n')
    },
    LIMIT_MS,
  )

  it(
    'with --soft-shutdown-timeout a task may end after the second signal, too',
    async () => {
      await using project = await createProject()
      await using worker = await project.worker(['--soft-shutdown-timeout', '20'])
      await project.run(['-A', 'tasks', 'call', 'shop.nap', '-a', '[2500]', '--task-id', 'short'])
      await worker.waitForLine('shop.nap[short] received')
      worker.kill('SIGQUIT')
      await worker.waitForLine('Soft shutdown: 1 running')
      const soft = await worker.exited
      await using other = await project.worker(['--soft-shutdown-timeout', '0.2'])
      await project.run(['-A', 'tasks', 'call', 'shop.stop', '-a', '[60000]', '--task-id', 'long'])
      await other.waitForLine('shop.stop[long] received')
      other.kill('SIGQUIT')
      const cold = await other.exited

      expect(soft.code).toBe(0)
      expect(soft.stderr).toContain('shop.nap[short] succeeded')
      expect(cold.code).toBe(3)
    },
    LIMIT_MS,
  )

  it(
    'Ctrl-C that arrives twice, as under npm, counts once; SIGQUIT stops at once',
    async () => {
      await using project = await createProject()
      await using worker = await project.worker()
      await project.run(['-A', 'tasks', 'call', 'shop.nap', '-a', '[1500]', '--task-id', 'short'])
      await worker.waitForLine('shop.nap[short] received')
      worker.kill('SIGINT')
      worker.kill('SIGINT')
      const warm = await worker.exited
      await using other = await project.worker()
      await project.run(['-A', 'tasks', 'call', 'shop.stop', '-a', '[60000]', '--task-id', 'long'])
      await other.waitForLine('shop.stop[long] received')
      other.kill('SIGQUIT')
      const cold = await other.exited

      expect(warm.code).toBe(0)
      expect(warm.stderr).toContain('succeeded')
      expect(cold.code).toBe(3)
    },
    LIMIT_MS,
  )

  it(
    'a task that outlasts --shutdown-timeout is given back with exit code 3',
    async () => {
      await using project = await createProject()
      await using worker = await project.worker(['--shutdown-timeout', '0.3'])
      await project.run(['-A', 'tasks', 'call', 'shop.stop', '-a', '[60000]', '--task-id', 'long'])
      await worker.waitForLine('shop.stop[long] received')
      worker.kill('SIGTERM')
      const exit = await worker.exited

      expect(exit.code).toBe(3)
    },
    LIMIT_MS,
  )

  it(
    'consumes exactly the queues of -Q and -X, and -I loads more tasks',
    async () => {
      await using project = await createProject({
        'more.ts': `import { app } from './tasks.js'\nexport const more = app.task('shop.more', () => 'more')`,
      })
      await project.run(['-A', 'tasks', 'call', 'shop.more', '--queue', 'a', '--task-id', 'a', '--force'])
      await project.run(['-A', 'tasks', 'call', 'shop.add', '-a', '[1, 1]', '--queue', 'b', '--task-id', 'b'])
      await using worker = await project.worker(['-Q', 'a,b', '-X', 'b', '-I', './more.ts'])
      const a = await project.run(['-A', 'tasks', 'result', 'a', '--timeout', '20'])
      const b = await project.run(['-A', 'tasks', 'result', 'b', '--timeout', '0'])

      expect(a).toMatchObject({ code: 0, stdout: 'more\n' })
      expect(b.code).toBe(75)
      expect(worker.stdout).toMatch(/queues: +a\n/)
    },
    LIMIT_MS,
  )

  it(
    '--purge drops what waits, and any setting can be given as an option',
    async () => {
      await using project = await createProject()
      await project.run(['-A', 'tasks', 'call', 'shop.add', '-a', '[1, 1]', '--task-id', 'old'])
      await using worker = await project.worker([
        '--purge',
        '--worker-lost-wait',
        '5',
        '--task-track-started=yes',
      ])
      await project.run(['-A', 'tasks', 'call', 'shop.nap', '-a', '[60000]', '--task-id', 'new'])
      await worker.waitForLine('shop.nap[new] received')
      const input = `const r = app.AsyncResult('new')\nwhile (await r.state() === 'PENDING') { await new Promise((go) => setTimeout(go, 20)) }\nawait r.state()\nawait app.AsyncResult('old').state()`
      const states = await project.run(['-A', 'tasks', 'shell'], { input })

      expect(states.stdout).toBe('STARTED\nPENDING\n')
    },
    LIMIT_MS,
  )

  it(
    '--time-limit and --soft-time-limit bound every task',
    async () => {
      await using project = await createProject()
      await using worker = await project.worker(['--time-limit', '1', '--soft-time-limit', '500ms'])
      await project.run(['-A', 'tasks', 'call', 'shop.stop', '-a', '[60000]', '--task-id', 'soft'])
      await project.run(['-A', 'tasks', 'call', 'shop.nap', '-a', '[5000]', '--task-id', 'hard'])
      const soft = await project.run(['-A', 'tasks', 'result', 'soft', '--timeout', '20', '--json'])
      const hard = await project.run(['-A', 'tasks', 'result', 'hard', '--timeout', '20', '--json'])

      expect(worker.pid).toBeGreaterThan(0)
      expect(soft.code).toBe(1)
      expect(JSON.parse(hard.stdout)).toMatchObject({
        state: 'FAILURE',
        error: { type: 'TimeLimitError' },
      })
    },
    LIMIT_MS,
  )

  it(
    'a kill -9 in mid-task is followed by a second run elsewhere',
    async () => {
      await using project = await createProject()
      await using first = await project.worker()
      await project.run(['-A', 'tasks', 'call', 'shop.nap', '-a', '[1500]', '--task-id', 'one'])
      await first.waitForLine('shop.nap[one] received')
      await first.stop()
      await using second = await project.worker()
      await second.waitForLine('shop.nap[one] succeeded')
      const result = await project.run(['-A', 'tasks', 'result', 'one', '--timeout', '5'])

      expect(result.stdout).toBe('rested\n')
    },
    LIMIT_MS,
  )
})

it.each([
  [['worker', '--autoscale', '10,3'], '--autoscale is not there yet'],
  [['worker', '--detach'], '--detach is not there yet'],
  [['inspect', 'active'], '"inspect" is not there yet'],
  [['worker', '-l', 'loud'], '--loglevel must be'],
  [['worker', '-c', 'many'], '--concurrency must be a whole number'],
  [['worker', '--task-acks-lat=no'], 'did you mean --task-acks-late?'],
  [['worker', 'now'], 'unexpected argument "now"'],
])(
  'lovage %j is refused by name with exit code 2',
  async (args, message) => {
    await using project = await createProject()

    const result = await project.run(['-A', 'tasks', ...args])

    expect(result.code).toBe(2)
    expect(result.stderr).toContain(message)
  },
  LIMIT_MS,
)

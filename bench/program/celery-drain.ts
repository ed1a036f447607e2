import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isSample } from '../harness/child.js'
import type { Sample } from '../harness/scenario.js'
import type { RabbitPlace } from './rabbitmq-place.js'
import { rawFill } from './rabbitmq-raw.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const python = `${root}.test-env/celery-5.7/bin/python`
const WORKER = '-m celery -A celery_bench worker -l WARNING -P prefork'.split(' ')
const QUIET = ['--without-gossip', '--without-mingle', '--without-heartbeat']

/** Drain by Celery's worker with two processes; an empty sample where the tests' Celery is not installed. */
export async function celeryDrain({ url, serverCpuUs }: RabbitPlace, count: number): Promise<Sample> {
  if (!existsSync(python)) return {}
  await rawFill(url, count)
  const child = spawn(python, [...WORKER, '-c', '2', ...QUIET], {
    cwd: `${root}bench/peers`,
    env: { ...process.env, BENCH_URL: url, BENCH_COUNT: String(count), PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const before = await serverCpuUs()
  const exited = new Promise((resolve) => child.once('close', resolve))
  const sample = await new Promise<Sample>((resolve, reject) => {
    let text = ''
    child.stdout.on('data', (chunk) => {
      text += String(chunk)
      const [, found] = /^SAMPLE (.*)$/m.exec(text) ?? []
      if (found !== undefined) resolve(parse(found))
    })
    child.once('error', reject)
    child.once('close', () => reject(new Error(`The worker of Celery ended early:\n${text}`)))
  })
  const serverUs = ((await serverCpuUs()) - before) / count
  child.kill('SIGTERM')
  await exited
  return { ...sample, serverUs }
}

function parse(text: string): Sample {
  const sample: unknown = JSON.parse(text)
  if (!isSample(sample)) throw new TypeError(`the worker of Celery printed ${text}`)
  return sample
}

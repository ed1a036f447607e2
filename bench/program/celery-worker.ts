import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Sample } from '../harness/scenario.js'
import { treeCpuUs } from './process-tree.js'
import { stagedDrain } from './staged-drain.js'
import type { Waiting } from './staged-drain.js'

const folder = fileURLToPath(new URL('../../../bench/peers/', import.meta.url))
const python =
  process.env['LOVAGE_TEST_CELERY_PYTHON'] ??
  fileURLToPath(new URL('../../../.test-env/celery-5.7/bin/python', import.meta.url))

/** A staged drain by Celery, prefork, with this many processes; an empty sample where Celery is not installed. */
export async function drainByCelery(count: number, processes: number): Promise<Sample> {
  if (!existsSync(python)) return {}
  return stagedDrain(count, 100, (url) => startCelery(url, processes))
}

async function startCelery(url: string, processes: number): Promise<Waiting> {
  const words = ['-m', 'celery', '-A', 'celery_app', 'worker', '-P', 'prefork', '-c', String(processes)]
  const child = spawn(python, words, {
    cwd: folder,
    env: { ...process.env, BENCH_URL: url },
    stdio: 'ignore',
  })
  return {
    cpuUs: async () => Promise.resolve(treeCpuUs(child.pid ?? 0)),
    stop: async () => {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    },
  }
}

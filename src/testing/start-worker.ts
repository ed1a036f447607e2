import type { Lovage } from '../app/app.js'
import { Worker } from '../worker/worker.js'
import type { WorkerOptions } from '../worker/worker-options.js'
import { recordTasks } from './task-recorder.js'

/**
 * Run a worker in this process; resolves when it claims.
 *
 * `await using` stops it at the end of the test, after its running tasks have ended.
 *
 * @source Celery 5.7, `celery/contrib/testing/worker.py`, `start_worker`.
 */
export async function startWorker(app: Lovage, options: WorkerOptions = {}): Promise<Worker> {
  recordTasks(app)
  const worker = new Worker(app, options)
  await worker.start()
  return worker
}

/** The worker: the entry `lovage/worker`. */
export { Worker, type WorkerState, type WorkerStatus } from './worker.js'
export type { InterruptedTask, StopOptions, WorkerExit, WorkerOptions } from './worker-options.js'
export type { BannerQueue, WorkerBanner } from './banner.js'
export type { CancelReason, Execute, Job, JobRun, Pool, PoolHost } from './pool/pool.js'
export { pools, type PoolFactory, type PoolRegistry } from './pool/registry.js'

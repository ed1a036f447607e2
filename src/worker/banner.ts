import type { Lovage } from '../app/app.js'
import type { QueueSpec } from '../broker/contract.js'
import type { WorkerSettings } from './settings.js'
import { internalsOf } from '../util/internals.js'

/** What a worker says of itself when it starts; the command line prints it. */
export interface WorkerBanner {
  /** Node name. */
  readonly hostname: string
  /** Name of the app. */
  readonly app: string
  /** The broker, password masked. */
  readonly transport: string
  /** Where results go, password masked; `disabled` when they are off. */
  readonly results: string
  readonly concurrency: number
  readonly pool: string
  readonly queues: readonly BannerQueue[]
  /** Names of the registered tasks, sorted, Celery's internal ones left out. */
  readonly tasks: readonly string[]
}

/** A consumed queue and how it is bound first. */
export interface BannerQueue {
  readonly name: string
  readonly exchange: string
  readonly exchangeType: string
  readonly routingKey: string
}

/** The banner of a worker that is made but not necessarily started. */
export function bannerOf(app: Lovage, settings: WorkerSettings, queues: readonly QueueSpec[]): WorkerBanner {
  return {
    hostname: settings.hostname,
    app: app.main,
    transport: internalsOf(app).brokerLocation().shown,
    results: internalsOf(app).backendLocation() ?? 'disabled',
    concurrency: settings.concurrency,
    pool: settings.pool,
    queues: queues.map(toBannerQueue),
    tasks: [...app.tasks.keys()].filter((name) => !name.startsWith('celery.')).sort(),
  }
}

function toBannerQueue({ name, bindings }: QueueSpec): BannerQueue {
  const [first] = bindings
  return {
    name,
    exchange: first?.exchange ?? '',
    exchangeType: first?.type ?? 'direct',
    routingKey: first?.routingKey ?? name,
  }
}

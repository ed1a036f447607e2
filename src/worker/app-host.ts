import type { Lovage } from '../app/app.js'
import type { Execution } from '../app/internals.js'
import { locationOfOpened, type BrokerLocation } from '../app/stores.js'
import type { ResultBackend } from '../backend/contract.js'
import { parseConnectionUrl } from '../broker/connection-url.js'
import { StoreClock } from '../broker/store-clock.js'
import { createResultCodec } from '../message/result-codec.js'
import { executeTask, toFailure } from '../task/execute.js'
import type { TaskLogger } from '../task/logger.js'
import type { Outcome } from '../task/outcome.js'
import { compose } from '../util/around.js'
import { withBuiltInTasks } from './built-in-tasks.js'
import type { WorkerHost } from './host.js'
import type { KeeperStart } from './lease/keeper-messages.js'
import type { Execute } from './pool/pool.js'
import { internalsOf } from '../util/internals.js'

/** What the worker's parts need, taken from an app whose codecs are prepared. */
export function hostOfApp(app: Lovage, logger: TaskLogger, backend: ResultBackend | undefined): WorkerHost {
  const config = internalsOf(app).config()
  const { clock } = internalsOf(app)
  const elapsedMs = (): number => performance.now()
  return {
    tasks: withBuiltInTasks(app.tasks, backend),
    errors: internalsOf(app).errors,
    sender: internalsOf(app).sender,
    clock,
    elapsedMs,
    storeClock: new StoreClock({ clock, elapsedMs }),
    logger,
    backend,
    codec:
      backend === undefined ? undefined : createResultCodec(config.resultSerializer, internalsOf(app).codecs),
    execute: executeOf(app),
    openBroker: () => internalsOf(app).openBroker(),
    keeperStart: (broker) =>
      keeperStartOf(app, locationOfOpened(broker) ?? internalsOf(app).brokerLocation()),
    readTask: (message) => internalsOf(app).readTask(message),
  }
}

/** The app's list of around-functions, composed anew for each run only where there are any. */
function executeOf(app: Lovage): Execute {
  const around = internalsOf(app).around.execute
  return (definition, request, port) => {
    if (around.length === 0) return executeTask(definition, request, port)
    const run = compose(around, (execution: Execution) =>
      executeTask(execution.definition, execution.request, port),
    )
    // A function of the list that is not asynchronous throws at once.
    return new Promise<Outcome>((resolve) => {
      resolve(run({ definition, request }))
    }).catch((error: unknown): Outcome => ({
      kind: 'failure',
      failure: toFailure(error, port),
      expected: false,
      children: [],
    }))
  }
}

/** How another thread opens the broker of this place; `undefined` where it cannot. */
function keeperStartOf(app: Lovage, location: BrokerLocation): KeeperStart | undefined {
  const { target, moduleUrl, options } = location
  if (moduleUrl === undefined || typeof target !== 'string') return undefined
  return {
    moduleUrl,
    brokerUrl: target,
    hasDriverSuffix: app.brokers.find(target).url.scheme !== parseConnectionUrl(target).scheme,
    transportOptions: options.transportOptions ?? {},
    leaseMs: internalsOf(app).config().leaseMs,
  }
}

import type { Delivery, Settlement } from '../../broker/contract.js'
import { deadLetterQueueSpec, toDeadLetter, type DeadReason } from '../../control/dead-letter.js'
import {
  LovageError,
  TaskNotRegisteredError,
  TaskRevokedError,
  UnsupportedError,
} from '../../errors/errors.js'
import type { TaskMessage } from '../../message/task-message.js'
import { toFailure } from '../../task/execute.js'
import type { Failure } from '../../task/outcome.js'
import { backoffMs } from '../../util/backoff.js'
import { toError } from '../../util/to-error.js'
import type { ClaimSet } from '../claim/claim-set.js'
import type { WorkerHost } from '../host.js'
import type { About, Records } from './records.js'
import { ClaimedDelivery, type DeliveryOwner } from '../run/delivery.js'
import type { WorkerSettings } from '../settings.js'

/** Header of a waiting message: since when no worker knew its task, in epoch milliseconds. */
const UNKNOWN_SINCE = 'lovage-unknown-since'
/** Header of a waiting message: how often it was handed back for it. */
const UNKNOWN_TIMES = 'lovage-unknown-times'

const UNKNOWN_DELAY = { firstMs: 1000, maxMs: 60_000 }

/** What a worker does with deliveries that it does not run; each is logged here. */
export class Rejections {
  readonly #host: WorkerHost
  readonly #settings: WorkerSettings
  readonly #records: Records
  readonly #owner: DeliveryOwner

  constructor(host: WorkerHost, settings: WorkerSettings, records: Records, owner: DeliveryOwner) {
    this.#host = host
    this.#settings = settings
    this.#records = records
    this.#owner = owner
  }

  /** Its workers died as often as allowed. Set aside unread: reading may be what kills. */
  workerLost(claims: ClaimSet, delivery: Delivery): ClaimedDelivery {
    const deliveries = delivery.deliveryCount - 1
    const message = `its worker was lost ${deliveries} times in a row`
    const exception = {
      exc_type: 'WorkerLostError',
      exc_message: [message],
      exc_module: 'billiard.exceptions',
    }
    const failure: Failure = { exception, traceback: '', message: `WorkerLostError: ${message}` }
    return this.#setAside(claims, delivery, { reason: 'worker-lost', failure, about: peek(delivery) })
  }

  /** It is no task that this worker may read. */
  unreadable(claims: ClaimSet, delivery: Delivery, thrown: unknown): ClaimedDelivery {
    const failure = toFailure(toError(thrown), this.#host)
    return this.#setAside(claims, delivery, { reason: 'unreadable', failure, about: peek(delivery) })
  }

  /** It can be read, and something about its task here does not let it start. */
  unstartable(claims: ClaimSet, delivery: Delivery, thrown: unknown): ClaimedDelivery {
    const failure = toFailure(toError(thrown), this.#host)
    return this.#setAside(claims, delivery, { reason: 'failed', failure, about: peek(delivery) })
  }

  /** It asks for what this version does not have. */
  unsupported(claims: ClaimSet, delivery: Delivery, task: TaskMessage): ClaimedDelivery {
    const failure = toFailure(new UnsupportedError('chords are not supported yet'), this.#host)
    return this.#setAside(claims, delivery, { reason: 'unsupported', failure, about: task })
  }

  /** It must not start any more. */
  expired(claims: ClaimSet, delivery: Delivery, task: TaskMessage): ClaimedDelivery {
    this.#host.logger.info(
      { task: task.task, id: task.id, queue: delivery.queue },
      `Discarding expired task: ${task.task}[${task.id}]`,
    )
    const stored = this.#stores(task) ? this.#records.revoked(task, new TaskRevokedError('expired')) : {}
    return this.#rejection(claims, { delivery, publish: [], ...stored })
  }

  /** Sent Celery's way, with a time to run that has not come: it waits in the store. */
  parked(claims: ClaimSet, delivery: Delivery, task: TaskMessage): ClaimedDelivery {
    const notBeforeMs = task.etaMs ?? 0
    this.#host.logger.debug(
      { task: task.task, id: task.id, queue: delivery.queue, eta: new Date(notBeforeMs).toISOString() },
      `Task ${task.task}[${task.id}] waits in its queue until it is due`,
    )
    const handBack = { delayMs: 0, notBeforeMs, unspent: true }
    return this.#rejection(claims, { delivery, publish: [], handBack })
  }

  /** No task of that name here: back with a growing delay, and set aside when nobody knew it for too long. */
  unknown(claims: ClaimSet, delivery: Delivery, task: TaskMessage): ClaimedDelivery {
    const { headers } = delivery.message
    const nowMs = this.#host.storeClock.now()
    const sinceMs = numberIn(headers, UNKNOWN_SINCE) ?? nowMs
    const times = numberIn(headers, UNKNOWN_TIMES) ?? 0
    if (nowMs - sinceMs >= this.#settings.unknownTaskTimeoutMs) {
      const error = new TaskNotRegisteredError(task.task, task.task)
      return this.#setAside(claims, delivery, {
        reason: 'not-registered',
        failure: { ...toFailure(error, this.#host), traceback: '' },
        about: task,
      })
    }
    const delayMs = backoffMs(times, UNKNOWN_DELAY)
    this.#host.logger.warn(
      { task: task.task, id: task.id, queue: delivery.queue, delayMs, times: times + 1 },
      `Received unregistered task of type '${task.task}': back to its queue for ${delayMs / 1000}s`,
    )
    const marks = { [UNKNOWN_SINCE]: sinceMs, [UNKNOWN_TIMES]: times + 1 }
    const handBack = { delayMs, unspent: true, headers: marks }
    return this.#rejection(claims, { delivery, publish: [], handBack })
  }

  /** Back to its queue as if it had not been claimed. */
  handBack(claims: ClaimSet, delivery: Delivery, delayMs: number): ClaimedDelivery {
    return this.#rejection(claims, { delivery, publish: [], handBack: { delayMs, unspent: true } })
  }

  #setAside(
    claims: ClaimSet,
    delivery: Delivery,
    death: { readonly reason: DeadReason; readonly failure: Failure; readonly about: About | undefined },
  ): ClaimedDelivery {
    const { reason, failure, about } = death
    const { expiresMs } = this.#settings.deadLetters
    const note = { reason, detail: failure.message, atMs: this.#host.storeClock.now(), expiresMs }
    const stored = about !== undefined && this.#stores(about) ? this.#records.failure(about, failure) : {}
    this.#host.logger.error(
      {
        id: about?.id,
        task: delivery.message.headers['task'],
        queue: delivery.queue,
        deliveries: delivery.deliveryCount,
        reason,
        ...(failure.error instanceof LovageError ? { code: failure.error.code } : {}),
      },
      `Message set aside in ${delivery.queue}.dead: ${failure.message}`,
    )
    const settlement = { delivery, publish: [toDeadLetter(delivery, note)], ...stored }
    const rejection = this.#rejection(claims, settlement)
    rejection.declares = deadLetterQueueSpec(delivery.queue)
    return rejection
  }

  #rejection(claims: ClaimSet, settlement: Settlement): ClaimedDelivery {
    const rejection = new ClaimedDelivery({ claims, delivery: settlement.delivery }, 'refused', this.#owner)
    rejection.settlement = settlement
    return rejection
  }

  #stores(about: About): boolean {
    if (this.#host.backend === undefined) return false
    return !('ignoreResult' in about && about.ignoreResult)
  }
}

/** The id of a message that is not read. */
function peek({ message }: Delivery): About | undefined {
  const id = message.headers['id'] ?? message.properties.correlationId
  if (typeof id !== 'string' || id === '') return undefined
  const { replyTo } = message.properties
  return replyTo === undefined ? { id } : { id, replyTo }
}

function numberIn(headers: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const value = headers[name]
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

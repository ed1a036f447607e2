import type { Delivery } from '../../broker/contract.js'
import type { TaskMessage } from '../../message/task-message.js'
import { isFollowedByChord } from '../../task/follow-up.js'
import { toRequest } from '../../task/request.js'
import type { ClaimSet } from '../claim/claim-set.js'
import type { WorkerHost } from '../host.js'
import { Policies } from './policy.js'
import type { PlacedTask } from '../settle/records.js'
import type { Rejections } from '../settle/rejections.js'
import { Run } from './run.js'
import type { ClaimedDelivery, DeliveryOwner } from './delivery.js'
import { isSpent } from './suspects.js'
import type { WorkerSettings } from '../settings.js'

/** What an {@link Intake} works with. */
export interface IntakeParts {
  readonly host: WorkerHost
  readonly settings: WorkerSettings
  readonly rejections: Rejections
  readonly owner: DeliveryOwner
}

/** Decides for each delivery whether it runs here, in the order in which Celery asks. */
export class Intake {
  readonly #host: WorkerHost
  readonly #settings: WorkerSettings
  readonly #rejections: Rejections
  readonly #owner: DeliveryOwner
  readonly #policies: Policies

  constructor({ host, settings, rejections, owner }: IntakeParts) {
    this.#host = host
    this.#settings = settings
    this.#rejections = rejections
    this.#owner = owner
    this.#policies = new Policies(settings)
  }

  /** A run to start, or a settlement to apply in its place. Never throws. */
  take(claims: ClaimSet, delivery: Delivery): ClaimedDelivery {
    try {
      return this.#take(claims, delivery)
    } catch (error) {
      // Out of here it would end the session, and the claim would stay unsettled for as long as the worker lives.
      return this.#rejections.unstartable(claims, delivery, error)
    }
  }

  /** Back to its queue, unread and unspent. */
  handBack(claims: ClaimSet, delivery: Delivery, delayMs: number): ClaimedDelivery {
    return this.#rejections.handBack(claims, delivery, delayMs)
  }

  /** Whether the task must not start any more. */
  isExpired(task: TaskMessage): boolean {
    return task.expiresMs !== undefined && task.expiresMs <= this.#host.storeClock.now()
  }

  #take(claims: ClaimSet, delivery: Delivery): ClaimedDelivery {
    if (isSpent(delivery, this.#settings.maxDeliveries)) return this.#rejections.workerLost(claims, delivery)
    let task: TaskMessage
    try {
      task = this.#placed(this.#host.readTask(delivery.message), delivery)
    } catch (error) {
      return this.#rejections.unreadable(claims, delivery, error)
    }
    return this.#refuse(claims, delivery, task) ?? this.#accept(claims, delivery, task)
  }

  /** Only extended results tell the routing key; without them a message is not copied for it. */
  #placed(task: TaskMessage, { route }: Delivery): PlacedTask {
    return this.#settings.resultExtended ? { ...task, routingKey: route.routingKey } : task
  }

  #refuse(claims: ClaimSet, delivery: Delivery, task: TaskMessage): ClaimedDelivery | undefined {
    if (task.embed.chord !== null || isFollowedByChord(task.embed))
      return this.#rejections.unsupported(claims, delivery, task)
    if (this.isExpired(task)) return this.#rejections.expired(claims, delivery, task)
    if (task.etaMs === undefined || delivery.due || task.etaMs <= this.#host.storeClock.now())
      return undefined
    return this.#rejections.parked(claims, delivery, task)
  }

  #accept(claims: ClaimSet, delivery: Delivery, task: TaskMessage): ClaimedDelivery {
    const definition = this.#host.tasks.get(task.task)
    if (definition === undefined) return this.#rejections.unknown(claims, delivery, task)
    const { queue, route, redelivered, deliveryCount } = delivery
    const request = toRequest(task, {
      hostname: this.#settings.hostname,
      isEager: false,
      deliveryInfo: {
        exchange: route.exchange,
        routingKey: route.routingKey,
        queue,
        priority: task.properties.priority,
        redelivered,
        deliveryCount,
      },
    })
    const policy = this.#policies.of(definition)
    return new Run({ delivery, claims, task, request, definition, policy }, this.#owner)
  }
}

import type { Lovage } from '../app/app.js'
import type { PeriodicEntry } from '../app/periodic/entry.js'
import type { OpenSchedules } from '../app/periodic/open-schedules.js'
import { undelayed } from '../app/publisher.js'
import type { Occurrence } from '../broker/contract.js'
import type { PreparedCall } from '../task/sender.js'
import { compose } from '../util/around.js'

/** Sends occurrences: in one step with their record where one store holds both. */
export class OccurrenceSender {
  readonly #app: Lovage
  readonly #store: OpenSchedules
  readonly #declared = new Set<string>()

  constructor(app: Lovage, store: OpenSchedules) {
    this.#app = app
    this.#store = store
  }

  /**
   * Send an occurrence unless somebody did.
   *
   * Where the messages go elsewhere, it is sent before it is recorded: a beat that dies between the two has another one
   * send it again, under the same task id.
   */
  async send(entry: PeriodicEntry, occurrence: Occurrence): Promise<boolean> {
    const { sender, around } = this.#app
    const { headers } = entry.options
    const options = {
      ...entry.options,
      taskId: occurrence.id,
      headers: {
        ...headers,
        periodic_task_name: entry.name,
        periodic_task_due: new Date(occurrence.scheduledAtMs).toISOString(),
      },
    }
    const { task: name, args, kwargs } = entry
    const prepared = await sender.prepare({ name, args, kwargs, options })
    let isFirst = false
    const send = async (ready: PreparedCall): Promise<void> => {
      isFirst = this.#store.sendsToo
        ? await this.#claim(occurrence, ready)
        : await this.#sendElsewhere(occurrence, ready)
    }
    await (around.publish.length === 0 ? send : compose(around.publish, send))(prepared)
    return isFirst
  }

  async #claim(occurrence: Occurrence, { outgoing, queue }: PreparedCall): Promise<boolean> {
    const { broker, schedules } = this.#store
    if (queue !== undefined && !this.#declared.has(queue.name)) {
      await broker.declare(queue)
      this.#declared.add(queue.name)
    }
    const ready = broker.capabilities.maxDelayMs > 0 ? outgoing : undelayed(outgoing)
    return schedules.claimOccurrence(occurrence, [ready])
  }

  async #sendElsewhere(occurrence: Occurrence, ready: PreparedCall): Promise<boolean> {
    await this.#app.sender.publish(ready)
    await this.#store.schedules.claimOccurrence(occurrence, [])
    return true
  }
}

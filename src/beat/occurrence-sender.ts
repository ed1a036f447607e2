import type { PeriodicEntry } from './entry.js'
import type { OpenSchedules } from './open-schedules.js'
import type { Occurrence } from '../broker/contract.js'
import { declareOnce } from '../broker/declare-once.js'
import { delayedIfAble } from '../broker/delay-limit.js'
import type { PreparedCall, Sender } from '../task/sender.js'

/** What it takes to send: an app. */
export interface SendingHost {
  readonly sender: Sender
}

/** Sends occurrences: in one step with their record where one store holds both. */
export class OccurrenceSender {
  readonly #app: SendingHost
  readonly #store: OpenSchedules

  constructor(app: SendingHost, store: OpenSchedules) {
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
    let isFirst = true
    await this.#app.sender.send({ name, args, kwargs, options }, async (ready, publish) => {
      if (this.#store.sendsToo) {
        isFirst = await this.#claim(occurrence, ready)
        return
      }
      await publish(ready)
      await this.#store.schedules.claimOccurrence(occurrence, [])
    })
    return isFirst
  }

  async #claim(occurrence: Occurrence, { outgoing, queue }: PreparedCall): Promise<boolean> {
    const { broker, schedules } = this.#store
    if (queue !== undefined) await declareOnce(broker, queue)
    return schedules.claimOccurrence(occurrence, [delayedIfAble(broker, outgoing)])
  }
}

import type { PeriodicEntry } from './entry.js'
import type { OpenSchedules } from './open-schedules.js'
import type { Occurrence } from '../broker/contract.js'
import { declareOnce } from '../broker/declare-once.js'
import { delayedIfAble } from '../broker/delay-limit.js'
import type { PreparedCall, Sender } from '../task/sender.js'
import { createHash } from 'node:crypto'

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

/** Namespace of the ids of occurrences: a UUID made once for Lovage. */
const NAMESPACE = Buffer.from('6f1a4d2e0c5b4f7e9a3b8d6c2e1f0a59', 'hex')

/**
 * The id of an occurrence and of the task that is sent for it: the name-based UUID (version 5) of the entry's name and the
 * instant, so that every beat gives it the same one and a consumer can tell a double.
 */
export function occurrenceId(entry: string, scheduledAtMs: number): string {
  const name = `${entry}\n${new Date(scheduledAtMs).toISOString()}`
  const bytes = createHash('sha1').update(NAMESPACE).update(name).digest().subarray(0, 16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

import type { Broker, ScheduleStore } from '../../../src/broker/contract.js'
import { BrokerConnectionError } from '../../../src/index.js'

/** Whether a beat reaches its store. */
export interface Network {
  isCut: boolean
}

/** A broker whose schedules are behind a network that can be cut: questions are lost, and answers under way. */
export function behind(network: Network, broker: Broker): Broker {
  const { schedules } = broker
  if (schedules === undefined) throw new Error(`the broker "${broker.name}" holds no schedules`)
  const check = (): void => {
    if (network.isCut) throw new BrokerConnectionError('the network is cut')
  }
  const ask = async <Answer>(work: () => Promise<Answer>): Promise<Answer> => {
    check()
    const answer = await work()
    check()
    return answer
  }
  const part: ScheduleStore = {
    claimOccurrence: (...args) => ask(() => schedules.claimOccurrence(...args)),
    lead: (...args) => ask(() => schedules.lead(...args)),
    resign: (...args) => ask(() => schedules.resign(...args)),
    saveEntry: (...args) => ask(() => schedules.saveEntry(...args)),
    loadEntry: (...args) => ask(() => schedules.loadEntry(...args)),
    loadEntries: () => ask(() => schedules.loadEntries()),
    removeEntry: (...args) => ask(() => schedules.removeEntry(...args)),
  }
  return new Proxy(broker, {
    get: (target, key): unknown => {
      if (key === 'schedules') return part
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

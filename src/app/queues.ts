import type { Binding, ExchangeType, QueueSpec } from '../broker/contract.js'
import type { Config } from '../config/config.js'
import type { QueueSetting } from '../config/routing-settings.js'
import { ConfigError, QueueNotFoundError } from '../errors/errors.js'
import { suggest } from '../util/suggest.js'

/** A queue of the app, with the exchange and key that messages for it are published with. */
export interface AppQueue {
  readonly spec: QueueSpec
  readonly exchange: string
  readonly exchangeType: ExchangeType
  readonly routingKey: string
  /** Of the messages for the queue, unless the call says otherwise. */
  readonly deliveryMode: 1 | 2 | undefined
}

const EXCHANGE_TYPES: readonly ExchangeType[] = ['direct', 'topic', 'fanout', 'headers']

/**
 * The queues an app knows, and how a missing one is made.
 *
 * @source Celery 5.7, `celery/app/amqp.py`, `Queues`.
 */
export class QueueTable {
  readonly #config: Config
  readonly #queues = new Map<string, AppQueue>()
  readonly #aliases = new Map<string, string>()
  /** The queues a worker consumes unless told otherwise: none that was only made up for a message. */
  readonly configured: readonly AppQueue[]

  constructor(config: Config) {
    this.#config = config
    const settings = config.taskQueues ?? [this.#defaultSetting()]
    for (const setting of settings)
      this.#queues.set(setting.name, toAppQueue(withDefaults(setting, config), config))
    this.configured = [...this.#queues.values()]
    for (const { alias, name } of settings) if (alias !== undefined) this.#aliases.set(alias, name)
  }

  /** The queue that messages without a route go to. */
  get defaultQueue(): AppQueue {
    return this.get(this.#config.taskDefaultQueue)
  }

  /**
   * The queue of this name, made up as `taskCreateMissingQueues` says.
   *
   * @throws {@link QueueNotFoundError} when it is not configured and that setting is off.
   */
  get(called: string): AppQueue {
    const name = this.#aliases.get(called) ?? called
    const known = this.#queues.get(name)
    if (known !== undefined) return known
    if (!this.#config.taskCreateMissingQueues) throw this.#notFound(name)
    const made = toAppQueue(this.#missingSetting(name), this.#config)
    this.#queues.set(name, made)
    return made
  }

  #defaultSetting(): QueueSetting {
    const config = this.#config
    return {
      name: config.taskDefaultQueue,
      exchange: config.taskDefaultExchange,
      exchangeType: config.taskDefaultExchangeType,
      routingKey: config.taskDefaultRoutingKey,
      ...ofType(config.taskDefaultQueueType),
    }
  }

  #missingSetting(name: string): QueueSetting {
    if (name === this.#config.taskDefaultQueue) return this.#defaultSetting()
    const { taskCreateMissingQueueExchangeType: exchangeType, taskCreateMissingQueueType } = this.#config
    return { name, exchangeType, ...ofType(taskCreateMissingQueueType) }
  }

  #notFound(name: string): QueueNotFoundError {
    const names = [...this.#queues.keys()]
    const near = suggest(name, names)
    const hint = near === undefined ? `known queues: ${names.join(', ')}` : `did you mean "${near}"?`
    return new QueueNotFoundError(
      name,
      `queue "${name}" is not in taskQueues and taskCreateMissingQueues is off; ${hint}`,
    )
  }
}

/** As Celery declares: a classic queue without a word about its type. */
function ofType(type: 'classic' | 'quorum'): Pick<QueueSetting, 'queueArguments'> {
  return type === 'quorum' ? { queueArguments: { 'x-queue-type': 'quorum' } } : {}
}

/** A configured queue that names no exchange shares the default one, under its own name as the key. */
function withDefaults(setting: QueueSetting, config: Config): QueueSetting {
  const { taskDefaultExchange: exchange, taskDefaultExchangeType } = config
  // An exchange that is named without a type is a direct one, whatever the default exchange is.
  const exchangeType = setting.exchange === undefined ? taskDefaultExchangeType : 'direct'
  return { exchange, exchangeType, ...setting }
}

function toAppQueue(setting: QueueSetting, config: Config): AppQueue {
  const exchange = setting.exchange ?? setting.name
  const exchangeType = toExchangeType(setting.exchangeType ?? config.taskDefaultExchangeType)
  const routingKey = setting.routingKey ?? setting.name
  const bindings: readonly Binding[] = setting.bindings?.map((one) => ({
    exchange: one.exchange,
    type: toExchangeType(one.exchangeType ?? exchangeType),
    routingKey: one.routingKey ?? routingKey,
    ...(one.arguments === undefined ? {} : { arguments: one.arguments }),
  })) ?? [bindingOf(setting, { exchange, type: exchangeType, routingKey })]
  const maxPriority = setting.maxPriority ?? config.taskQueueMaxPriority
  const args = {
    ...(maxPriority === undefined ? {} : { 'x-max-priority': maxPriority }),
    ...setting.queueArguments,
  }
  return {
    spec: { name: setting.name, ...lifeOf(setting), bindings, arguments: args },
    exchange,
    exchangeType,
    routingKey,
    deliveryMode: setting.deliveryMode,
  }
}

function lifeOf(setting: QueueSetting): Omit<QueueSpec, 'name' | 'bindings'> {
  const { durable, autoDelete, exclusive, noDeclare } = setting
  return {
    ...(noDeclare !== undefined && { noDeclare }),
    lifetime: durable === false ? 'transient' : 'durable',
    ...(autoDelete !== undefined && { autoDelete }),
    ...(exclusive !== undefined && { exclusive }),
  }
}

function bindingOf(setting: QueueSetting, binding: Binding): Binding {
  const {
    bindingArguments,
    exchangeDurable: durable,
    exchangeAutoDelete: autoDelete,
    exchangeArguments,
  } = setting
  const exchangeOptions = {
    ...(durable !== undefined && { durable }),
    ...(autoDelete !== undefined && { autoDelete }),
    ...(exchangeArguments !== undefined && { arguments: exchangeArguments }),
  }
  return {
    ...binding,
    ...(bindingArguments !== undefined && { arguments: bindingArguments }),
    ...(Object.keys(exchangeOptions).length > 0 && { exchangeOptions }),
  }
}

function toExchangeType(text: string): ExchangeType {
  const type = EXCHANGE_TYPES.find((one) => one === text)
  if (type === undefined) {
    throw new ConfigError(`expected an exchange type of ${EXCHANGE_TYPES.join(', ')}, got: "${text}"`)
  }
  return type
}

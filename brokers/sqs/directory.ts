import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
} from '@aws-sdk/client-sqs'
import type { QueueAttributeName } from '@aws-sdk/client-sqs'
import { QueueNotFoundError } from '../../src/errors/errors.js'
import { SqsFailure } from './failure.js'
import { KEPT_PREFIX, isFifoName, serviceName } from './queue-name.js'
import type { QueueRef } from './queue-ref.js'
import { SqsService } from './service.js'
import type { SqsSettings } from './settings.js'
import { append } from '../../src/util/long-list.js'

/** A message of this size fits every queue, in bytes. */
const SURELY_FITS = 256 * 1024

/** Finds, makes and counts queues. */
export class Directory {
  readonly #settings: SqsSettings
  readonly #service: SqsService
  readonly #services: SqsService[]
  readonly #refs = new Map<string, QueueRef>()
  readonly #limits = new Map<string, number>()

  constructor(settings: SqsSettings) {
    this.#settings = settings
    this.#service = new SqsService(settings.access, settings.label)
    this.#services = [this.#service]
    for (const [name, { url, region, keys }] of settings.predefined) {
      const service =
        region === undefined && keys === undefined ? this.#service : this.#ownService(region, keys)
      this.#refs.set(name, { name, url, isFifo: isFifoName(url), service })
    }
  }

  /** Requests made so far. */
  get requests(): number {
    return this.#services.reduce((sum, service) => sum + service.requests, 0)
  }

  /** The present moment at the service, in epoch milliseconds, or up to a second earlier. */
  now(): number {
    return (this.#services.find(({ clock }) => clock.hasTime) ?? this.#service).clock.now()
  }

  /** Whether the service answers; who may ask what is found out later. */
  async reach(signal: AbortSignal): Promise<void> {
    const [predefined] = this.#settings.predefined.keys()
    try {
      if (predefined !== undefined) await this.#attributes(await this.find(predefined), ['QueueArn'])
      else await this.#list(1, '', signal)
    } catch (error) {
      if (!isDenied(error)) throw error
    }
  }

  /** A queue that exists. Rejects with a failure of kind `missing`. */
  async find(name: string): Promise<QueueRef> {
    const known = this.#refs.get(name)
    if (known !== undefined) return known
    this.#refuseUnlessOpen(name)
    const QueueName = serviceName(this.#settings.prefix, name)
    const { QueueUrl } = await this.#service.ask((client, options) =>
      client.send(new GetQueueUrlCommand({ QueueName }), options),
    )
    return this.#remember(name, QueueUrl)
  }

  /** Make a queue unless it is there. One that exists keeps its attributes. */
  async declare(name: string): Promise<QueueRef> {
    try {
      return await this.find(name)
    } catch (error) {
      if (!(error instanceof SqsFailure && error.kind === 'missing')) throw error
    }
    const { prefix, visibilityTimeout, creationAttributes, tags } = this.#settings
    const QueueName = serviceName(prefix, name)
    const Attributes = {
      VisibilityTimeout: String(visibilityTimeout),
      ...(isFifoName(QueueName) && { FifoQueue: 'true' }),
      ...creationAttributes,
    }
    const { QueueUrl } = await this.#service.ask((client, options) =>
      client.send(new CreateQueueCommand({ QueueName, Attributes, tags: { ...tags } }), options),
    )
    return this.#remember(name, QueueUrl)
  }

  /** A queue whose URL is known. */
  async at(name: string, url: string): Promise<QueueRef> {
    if (this.#settings.predefined.size > 0) return this.find(name)
    return this.#refs.get(name) ?? this.#remember(name, url)
  }

  /**
   * Names of the queues with the prefix; those that this process has not used, under the service's names.
   *
   * @param start - Only those whose names begin so; without it, those that are kept for one message are left out.
   */
  async names(start = ''): Promise<readonly string[]> {
    const { predefined, prefix } = this.#settings
    if (predefined.size > 0) return [...predefined.keys()]
    const own = new Map([...this.#refs.keys()].map((name) => [serviceName(prefix, name), name]))
    const urls = await this.#list(1_000, start)
    const found = urls.map((url) => url.slice(url.lastIndexOf('/') + 1))
    const names = found.map((name) => own.get(name) ?? name.slice(prefix.length))
    return start === '' ? names.filter((name) => !name.startsWith(KEPT_PREFIX)) : names
  }

  async delete(name: string): Promise<void> {
    if (this.#settings.predefined.size > 0) return
    const ref = await this.find(name)
    this.forget(name)
    await ref.service.ask((client, options) =>
      client.send(new DeleteQueueCommand({ QueueUrl: ref.url }), options),
    )
  }

  /** Look again where a queue is, the next time. */
  forget(name: string): void {
    if (this.#settings.predefined.has(name)) return
    this.#refs.delete(name)
    this.#limits.delete(name)
  }

  /** How many messages are ready, held, and claimed; all approximate. */
  async counts(ref: QueueRef): Promise<{ ready: number; delayed: number; claimed: number }> {
    const found = await this.#attributes(ref, [
      'ApproximateNumberOfMessages',
      'ApproximateNumberOfMessagesDelayed',
      'ApproximateNumberOfMessagesNotVisible',
    ])
    return {
      ready: Number(found['ApproximateNumberOfMessages'] ?? 0),
      delayed: Number(found['ApproximateNumberOfMessagesDelayed'] ?? 0),
      claimed: Number(found['ApproximateNumberOfMessagesNotVisible'] ?? 0),
    }
  }

  /** How old a queue is, in milliseconds. */
  async ageMs(ref: QueueRef): Promise<number> {
    const { CreatedTimestamp } = await this.#attributes(ref, ['CreatedTimestamp'])
    return this.now() - Number(CreatedTimestamp ?? 0) * 1000
  }

  /** The largest message a queue takes, in bytes. Asked once, and only for a message that may be too large. */
  async limitOf(ref: QueueRef, bytes: number): Promise<number> {
    const { maxMessageBytes } = this.#settings
    if (maxMessageBytes !== undefined) return maxMessageBytes
    const known = this.#limits.get(ref.name)
    if (known !== undefined || bytes <= SURELY_FITS) return known ?? SURELY_FITS
    const limit = await this.#attributes(ref, ['MaximumMessageSize']).then(
      ({ MaximumMessageSize }) => Number(MaximumMessageSize ?? SURELY_FITS),
      (error: unknown) => {
        if (isDenied(error)) return SURELY_FITS
        throw error
      },
    )
    this.#limits.set(ref.name, limit)
    return limit
  }

  close(): void {
    for (const service of this.#services) service.close()
  }

  async #attributes(
    ref: QueueRef,
    AttributeNames: QueueAttributeName[],
  ): Promise<Partial<Record<string, string>>> {
    const { Attributes } = await ref.service.ask((client, options) =>
      client.send(new GetQueueAttributesCommand({ QueueUrl: ref.url, AttributeNames }), options),
    )
    return Attributes ?? {}
  }

  async #list(most: number, start: string, signal?: AbortSignal): Promise<readonly string[]> {
    const whole = this.#settings.prefix + start
    const prefix = whole === '' ? '' : serviceName('', whole)
    const urls: string[] = []
    let NextToken: string | undefined
    do {
      const input = { QueueNamePrefix: prefix, MaxResults: most, NextToken }
      const found = await this.#service.ask(
        (client, options) => client.send(new ListQueuesCommand(input), options),
        signal === undefined ? {} : { signal },
      )
      append(urls, found.QueueUrls ?? [])
      NextToken = found.NextToken
    } while (NextToken !== undefined && most > 1)
    return urls
  }

  #remember(name: string, url: string | undefined): QueueRef {
    if (url === undefined) throw new SqsFailure('missing', `queue "${name}" has no URL`)
    const ref = { name, url, isFifo: isFifoName(url), service: this.#service }
    this.#refs.set(name, ref)
    return ref
  }

  /** With predefined queues nothing is looked up or made. */
  #refuseUnlessOpen(name: string): void {
    const { predefined } = this.#settings
    if (predefined.size === 0) return
    const known = [...predefined.keys()].join(', ')
    throw new QueueNotFoundError(name, `queue "${name}" is not among predefined_queues: ${known}`)
  }

  #ownService(region: string | undefined, keys: SqsSettings['access']['keys']): SqsService {
    const { access, label } = this.#settings
    const own = { ...access, region: region ?? access.region, keys: keys ?? access.keys }
    const service = new SqsService(own, label)
    this.#services.push(service)
    return service
  }
}

/** Whether the service refuses this request; who may not take on a role may do nothing at all. */
function isDenied(error: unknown): boolean {
  if (!(error instanceof SqsFailure) || error.kind !== 'refused') return false
  return /denied|not authorized/i.test(error.message) && !/sts:AssumeRole/i.test(error.message)
}

import { StoreClock } from '../broker/store-clock.js'
import { awaitsReplies } from '../config/backend-choice.js'
import type { Config } from '../config/config.js'
import type { Codecs } from '../message/codecs.js'
import { encodeTaskV1 } from '../message/encode-task-v1.js'
import { encodeTask } from '../message/encode-task.js'
import type { AcceptedContent } from '../message/serializer/serializer-registry.js'
import type { TaskDefinition } from '../task/definition.js'
import type { Clock } from '../util/clock.js'
import type { Connections } from './connections.js'
import { Publisher } from './publisher.js'
import { QueueTable } from './queues.js'
import { Router } from './routes.js'
import { AppSender } from './sender.js'

/** What a runtime is made of. */
export interface RuntimeParts {
  readonly config: Config
  readonly codecs: Codecs
  readonly clock: Clock
  readonly tasks: ReadonlyMap<string, TaskDefinition>
  readonly connections: Connections
}

/** Everything that follows from one state of the settings; made anew when they change. */
export class AppRuntime {
  readonly config: Config
  readonly queues: QueueTable
  readonly sender: AppSender
  readonly publisher: Publisher
  readonly #codecs: Codecs
  #accepted: AcceptedContent | undefined

  constructor(parts: RuntimeParts) {
    const { config, codecs, clock, connections } = parts
    this.config = config
    this.#codecs = codecs
    this.queues = new QueueTable(config)
    this.publisher = new Publisher(connections, {
      retry: config.taskPublishRetry,
      retryPolicy: config.taskPublishRetryPolicy,
      timeoutMs: config.publishTimeoutMs,
      clock,
    })
    const storeClock = new StoreClock({ clock, elapsedMs: () => performance.now() })
    const encode = config.taskProtocol === 1 ? encodeTaskV1 : encodeTask
    this.sender = new AppSender({
      config,
      clock,
      storeClock,
      tasks: parts.tasks,
      router: new Router(config, this.queues),
      publisher: this.publisher,
      encode: (task) => encode(task, codecs, storeClock.now()),
      prepareSerializer: (name) => codecs.serializers.prepare([name]),
      connection: connections,
      maxIdLength: async () => (await connections.backend().catch(() => undefined))?.maxIdLength,
      ...(awaitsReplies(config) ? { replyTo: async () => (await connections.backend())?.replyTo?.() } : {}),
    })
  }

  /** Content types that are read. */
  get accepted(): AcceptedContent {
    this.#accepted ??= this.#codecs.serializers.accept(this.config.acceptContent)
    return this.#accepted
  }

  /** Load the packages of the serializers that the settings name. */
  async prepare(): Promise<void> {
    const { acceptContent, resultAcceptContent, resultSerializer, taskSerializer } = this.config
    await this.#codecs.serializers.prepare([
      taskSerializer,
      resultSerializer,
      ...acceptContent,
      ...resultAcceptContent,
    ])
  }
}

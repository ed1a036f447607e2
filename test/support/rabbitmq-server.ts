import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { projectRoot } from './child.js'
import { tempFolder, type TempFolder } from './temp.js'

/** A node as the script of the test services describes it. */
interface RabbitNode {
  readonly port: number
  readonly url: string
}

interface RunningNode {
  readonly stop: () => Promise<void>
  readonly kill: () => Promise<void>
}

interface NodeScript {
  readonly rabbitmqScript: (name: string) => string | undefined
  readonly newRabbitmqNode: (folder: string, settings?: readonly string[]) => Promise<RabbitNode>
  readonly startRabbitmqNode: (node: RabbitNode) => Promise<RunningNode>
  readonly rabbitmqctl: (node: RabbitNode, args: readonly string[]) => Promise<string>
}

const script = await loadScript()

/** Whether a test can start RabbitMQ servers of its own. */
export function canStartRabbitmq(): boolean {
  return script.rabbitmqScript('rabbitmq-server') !== undefined
}

/** A RabbitMQ server of one test, which it may kill and start again; `await using` ends it. */
export class RabbitmqServer implements AsyncDisposable {
  readonly #node: RabbitNode
  readonly #folder: TempFolder
  #running: RunningNode | undefined

  private constructor(node: RabbitNode, folder: TempFolder) {
    this.#node = node
    this.#folder = folder
  }

  /** Start one on ports of its own, with these lines of configuration more. */
  static async start(...settings: readonly string[]): Promise<RabbitmqServer> {
    const folder = await tempFolder('rabbitmq')
    const server = new RabbitmqServer(await script.newRabbitmqNode(folder.path, settings), folder)
    await server.start()
    return server
  }

  get port(): number {
    return this.#node.port
  }

  get url(): string {
    return this.#node.url
  }

  /** The process of the server. */
  async pid(): Promise<number> {
    return Number(await readFile(this.#folder.file('server.pid'), 'utf8'))
  }

  /** Start it, also again after {@link kill}: on the same port, with what it has on disk. */
  async start(): Promise<void> {
    this.#running = await script.startRabbitmqNode(this.#node)
  }

  /** Kill it as `kill -9` does. */
  async kill(): Promise<void> {
    await this.#running?.kill()
    this.#running = undefined
  }

  /** Run `rabbitmqctl`; resolves with what it prints. */
  ctl(...args: readonly string[]): Promise<string> {
    return script.rabbitmqctl(this.#node, args)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.stop()
    await this.#folder.remove()
  }
}

async function loadScript(): Promise<NodeScript> {
  const file = join(projectRoot, 'test/support/service/rabbitmq-node.mjs')
  const loaded: unknown = await import(pathToFileURL(file).href)
  if (isNodeScript(loaded)) return loaded
  throw new TypeError(`${file} does not export what tests need`)
}

function isNodeScript(value: unknown): value is NodeScript {
  return typeof value === 'object' && value !== null && 'startRabbitmqNode' in value && 'rabbitmqctl' in value
}

import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { Child } from './child.js'
import { tempFolder, type TempFolder } from './temp.js'

/** Whether a test can start Redis servers of its own. */
export function canStartRedis(program = 'redis-server'): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)))
}

/** A Redis server of one test, which it may kill and start again; `await using` ends it. */
export class RedisServer implements AsyncDisposable {
  readonly port: number
  readonly folder: TempFolder
  readonly #options: readonly string[]
  #process: Child | undefined

  private constructor(port: number, folder: TempFolder, options: readonly string[]) {
    this.port = port
    this.folder = folder
    this.#options = options
  }

  /** Start one on a port of its own, with these options of the command line more. */
  static async start(...options: readonly string[]): Promise<RedisServer> {
    const server = new RedisServer(await unusedPort(), await tempFolder('redis'), options)
    await server.start()
    return server
  }

  /** Start a Sentinel of its own that watches one master and decides alone. @param more - Lines of its configuration. */
  static async startSentinel(
    name: string,
    masterPort: number,
    ...more: readonly string[]
  ): Promise<RedisServer> {
    const folder = await tempFolder('sentinel')
    const server = new RedisServer(await unusedPort(), folder, [])
    const config = [
      `port ${String(server.port)}`,
      `dir ${folder.path}`,
      'bind 127.0.0.1',
      `sentinel monitor ${name} 127.0.0.1 ${String(masterPort)} 1`,
      `sentinel down-after-milliseconds ${name} 1000`,
      `sentinel failover-timeout ${name} 5000`,
      ...more,
    ]
    await writeFile(folder.file('sentinel.conf'), config.join('\n'))
    server.#process = new Child('redis-server', [folder.file('sentinel.conf'), '--sentinel'])
    await server.#process.waitForLine(/monitor master|Sentinel ID/)
    return server
  }

  get url(): string {
    return `redis://127.0.0.1:${String(this.port)}/0`
  }

  /** Start it, also again after {@link kill}: on the same port, with what it has on disk. */
  async start(): Promise<void> {
    const { path } = this.folder
    const args = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', path, '--save', '']
    this.#process = new Child('redis-server', [...args, ...this.#options])
    await this.#process.waitForLine('Ready to accept connections')
  }

  /** Kill it as `kill -9` does. */
  async kill(): Promise<void> {
    await this.#process?.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    await this.folder.remove()
  }
}

/** A TCP port that nobody listens on at the moment. */
export async function unusedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

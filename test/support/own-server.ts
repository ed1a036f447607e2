import { readFileSync } from 'node:fs'
import { chown, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import type { SqlServer } from './sql-place.js'
import { tempFolder } from './temp.js'
import type { TempFolder } from './temp.js'

interface Running {
  readonly pid: number
  readonly stop: () => Promise<void>
}

type Start = (port: number) => Promise<Running>

interface ServiceModule {
  readonly createCluster?: (folder: string) => Promise<{ readonly postmaster: Start }>
  readonly copyCluster?: (folder: string, port: number) => Promise<{ readonly postmaster: Start }>
  readonly createDataFolder?: (folder: string, more: readonly string[]) => Promise<{ readonly server: Start }>
  readonly postgresql?: { readonly detect: () => Promise<string | undefined> }
  readonly mariadb?: { readonly detect: () => Promise<string | undefined> }
}

/** The modules of `test/support` that are not compiled, from the compiled tests. */
async function load(path: string): Promise<ServiceModule> {
  const file = join(process.cwd(), 'test/support', path)
  const loaded: ServiceModule = await import(pathToFileURL(file).href)
  return loaded
}

/** A port that nobody listens on. */
export async function anyPort(): Promise<number> {
  const { freePort }: { freePort: () => Promise<number> } = await import(
    pathToFileURL(join(process.cwd(), 'test/support/server-process.mjs')).href
  )
  return freePort()
}

/** A database server for one test alone, which may be killed and started again on the same port and data. */
export class OwnServer implements AsyncDisposable {
  readonly kind: SqlServer
  readonly #folder: TempFolder
  readonly #start: Start
  #running: Running
  #port: number

  private constructor(
    kind: SqlServer,
    port: number,
    parts: { folder: TempFolder; start: Start; running: Running },
  ) {
    this.kind = kind
    this.#port = port
    this.#folder = parts.folder
    this.#start = parts.start
    this.#running = parts.running
  }

  /** Why none can be started, for a skip; `undefined` where the program is installed. */
  static async missing(kind: SqlServer): Promise<string | undefined> {
    const { postgresql, mariadb } = await load(`service/${kind}.mjs`)
    return (postgresql ?? mariadb)?.detect()
  }

  /**
   * Start one.
   *
   * @param more - Further arguments of MariaDB.
   * @throws Error when the program is not installed.
   */
  static async open(kind: SqlServer, more: readonly string[] = []): Promise<OwnServer> {
    const reason = await OwnServer.missing(kind)
    if (reason !== undefined) throw new Error(`a test needs a ${kind} of its own: ${reason}`)
    const service = await load(`service/${kind}.mjs`)
    const folder = await tempFolder(`own-${kind}`)
    const start =
      (await service.createCluster?.(folder.path))?.postmaster ??
      (await service.createDataFolder?.(folder.path, more))?.server
    if (start === undefined) throw new TypeError(`service/${kind}.mjs makes no data folder`)
    const port = await anyPort()
    return new OwnServer(kind, port, { folder, start, running: await start(port) })
  }

  /** Start a standby of a PostgreSQL: a copy that follows it and only reads, until it is promoted. */
  static async standbyOf(primary: OwnServer): Promise<OwnServer> {
    const { copyCluster } = await load('service/postgresql.mjs')
    const folder = await tempFolder('own-standby')
    const copied = await copyCluster?.(folder.path, primary.port)
    if (copied === undefined) throw new TypeError('service/postgresql.mjs copies nothing')
    const start = copied.postmaster
    const port = await anyPort()
    return new OwnServer('postgresql', port, { folder, start, running: await start(port) })
  }

  get port(): number {
    return this.#port
  }

  /** URL of a connection to it, or through a port that leads to it. */
  url(port: number = this.port): string {
    return this.kind === 'postgresql'
      ? `postgresql://lovage@127.0.0.1:${port}/postgres`
      : `mysql://lovage:lovage@127.0.0.1:${port}/test`
  }

  /** What it wrote since it was started last. */
  get log(): string {
    return readFileSync(this.#folder.file('server.log'), 'utf8')
  }

  /** Path of an entry of its folder, which the user that runs it may reach. */
  file(name: string): string {
    return this.#folder.file(name)
  }

  /** Make a path belong to the user that runs it. */
  async handOver(path: string): Promise<void> {
    const { uid, gid } = await stat(this.#folder.path)
    await chown(path, uid, gid)
  }

  /** End it as a crash would. */
  async kill(): Promise<void> {
    process.kill(this.#running.pid, 'SIGKILL')
    await this.#running.stop()
  }

  /** End it in order. */
  async stop(): Promise<void> {
    await this.#running.stop()
  }

  /** Start it again, on `port` if given; a crashed one may hold on to its data for a moment. */
  async start(port: number = this.#port): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        this.#running = await this.#start(port)
        this.#port = port
        return
      } catch (error) {
        if (tries >= 20) throw error
      }
      await sleep(200)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running.stop()
    await this.#folder.remove()
  }
}

import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Lovage } from '../../../src/index.js'
import { Child, lovage, projectRoot } from '../../support/child.js'
import { tempFolder, type TempFolder } from '../../support/temp.js'
import { interopApp } from '../fixture/interop-app.js'
import { VARIABLE, type InteropSettings } from '../fixture/interop-settings.js'
import { PythonClient } from './python-client.js'

const pythonFolder = `${projectRoot}test/interop/python`
const workerModule = fileURLToPath(new URL('../fixture/node-worker.js', import.meta.url))

/** A broker and a backend that both languages are pointed at, in a corner of their own. */
export interface InteropPair {
  /** As in the table of the docs: `Redis and Redis`. */
  readonly name: string
  /** The interpreter; `undefined` skips the suite. */
  readonly python: string | undefined
  /** What the suite needs is there, and where; `undefined` skips it. */
  readonly place: InteropPlace | undefined
}

/** Where the two languages meet. */
export type InteropPlace = Pick<
  InteropSettings,
  'broker' | 'backend' | 'brokerOptions' | 'backendOptions' | 'conf'
>

/** How a worker of Celery is started. */
export interface PythonWorkerOptions {
  readonly queues?: string
  /** `solo` unless named. */
  readonly pool?: 'solo' | 'prefork'
  readonly concurrency?: number
  readonly conf?: Readonly<Record<string, unknown>>
}

/** A word that nothing else uses. */
export function randomName(start: string): string {
  return `${start}-${randomBytes(5).toString('hex')}`
}

/** Both languages at one place: clients and workers of each. `await using` ends all of it. */
export class InteropStage implements AsyncDisposable {
  readonly settings: InteropSettings
  /** Lovage's client, in the test's process. */
  readonly app: Lovage
  #python: PythonClient | undefined
  readonly #interpreter: string
  readonly #folder: TempFolder
  readonly #children: Child[] = []

  private constructor(interpreter: string, settings: InteropSettings, folder: TempFolder) {
    this.#interpreter = interpreter
    this.settings = settings
    this.#folder = folder
    this.app = interopApp(settings)
  }

  /** Python's client, started at the first use. */
  get python(): PythonClient {
    this.#python ??= PythonClient.start(this.#interpreter, pythonFolder, environment(this.settings))
    return this.#python
  }

  /** A stage without workers. */
  static async open(python: string, place: InteropPlace): Promise<InteropStage> {
    const settings = { ...place, nodeQueue: randomName('node'), pythonQueue: randomName('py') }
    return new InteropStage(python, settings, await tempFolder('interop'))
  }

  /** Start a worker of Celery; resolves when it consumes. */
  async pythonWorker(options: PythonWorkerOptions = {}): Promise<Child> {
    const { queues = this.settings.pythonQueue, pool = 'solo', concurrency = 1, conf } = options
    const name = `${randomName('py')}@%h`
    const quick = ['--without-gossip', '--without-mingle', '--without-heartbeat', '-n', name]
    const child = new Child(
      this.#interpreter,
      [
        '-m',
        'celery',
        '-A',
        'proj',
        'worker',
        '-l',
        'INFO',
        '-P',
        pool,
        '-c',
        `${concurrency}`,
        '-Q',
        queues,
      ].concat(quick),
      { cwd: pythonFolder, env: environment({ ...this.settings, conf: { ...this.settings.conf, ...conf } }) },
    )
    this.#children.push(child)
    await child.waitForLine(' ready.', 30_000)
    return child
  }

  /** Start Celery's beat on these entries, under Celery's names; resolves when it sends. */
  async pythonBeat(entries: Readonly<Record<string, unknown>>): Promise<Child> {
    const conf = { ...this.settings.conf, beat_schedule: entries }
    const child = new Child(
      this.#interpreter,
      ['-m', 'celery', '-A', 'proj', 'beat', '-l', 'INFO', '-s', this.path('schedule'), '--pidfile', ''],
      { cwd: pythonFolder, env: environment({ ...this.settings, conf }) },
    )
    this.#children.push(child)
    await child.waitForLine('Sending due task', 30_000)
    return child
  }

  /** Start Lovage's worker by the command line; resolves when it claims. */
  async nodeWorker(queues: string = this.settings.nodeQueue): Promise<Child> {
    const args = ['-A', workerModule, 'worker', '--log-format', 'text', '-Q', queues]
    const child = lovage(args, { env: environment(this.settings) })
    this.#children.push(child)
    await child.waitForLine('ready.')
    return child
  }

  /** A path in the stage's folder that is not there yet. */
  path(label = 'file'): string {
    return this.#folder.file(randomName(label))
  }

  /** Make a file, which somebody waits for. */
  touch(path: string): void {
    writeFileSync(path, '')
  }

  /** The lines that tasks wrote, once there are as many; what is there after 20 s else. */
  async lines(path: string, count = 1): Promise<readonly string[]> {
    const end = performance.now() + 20_000
    while (readLines(path).length < count && performance.now() < end) await sleep(10)
    return readLines(path)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#children.map((child) => child.stop()))
    await this.#python?.[Symbol.asyncDispose]()
    await this.app.close()
    await this.#folder.remove()
  }
}

function readLines(path: string): readonly string[] {
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
}

function environment(settings: InteropSettings): Record<string, string> {
  return {
    [VARIABLE]: JSON.stringify(settings),
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONUNBUFFERED: '1',
    PYTHONWARNINGS: 'ignore',
  }
}

import { spawnSync } from 'node:child_process'
import { arch, cpus, hostname, loadavg, platform, release, totalmem } from 'node:os'
import { chooseEngine } from '../../brokers/sql/engine/choose.js'

/** On what, of what and by what command something was measured. */
export interface Machine {
  readonly name: string
  readonly processor: string
  readonly cores: number
  readonly memoryGiB: number
  readonly system: string
  readonly node: string
  readonly sqlite: string
  readonly commit: string
  readonly command: string
  /** Load before the first round: other work on the machine falsifies rates, and processor times less. */
  readonly load: number
}

/** Describe this machine. */
export async function describeMachine(): Promise<Machine> {
  const [processor] = cpus()
  return {
    name: `${platform()}-${arch()}-${cpus().length}-cores`,
    processor: processor?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()}`,
    node: process.versions.node,
    sqlite: await sqliteVersion(),
    commit: commitOf(),
    command: ['npm run bench --', ...process.argv.slice(2)].join(' ').replace(hostname(), 'host'),
    load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  }
}

async function sqliteVersion(): Promise<string> {
  const engine = await chooseEngine(undefined)
  const native = engine.open(':memory:')
  const [row] = native.prepare('SELECT sqlite_version()').all([])
  native.close()
  return `${String(row?.[0])} (${engine.name})`
}

function commitOf(): string {
  const git = (...args: string[]): string => spawnSync('git', args, { encoding: 'utf8' }).stdout.trim()
  const changed = git('status', '--porcelain', '--untracked-files=no', 'src', 'brokers', 'backends') !== ''
  return `${git('rev-parse', '--short', 'HEAD')}${changed ? ' with changes' : ''}`
}

#!/usr/bin/env node
import { existsSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

import { isRecord } from '../util/record.js'
import { argumentsOfProgram, valueOf } from './arguments.js'

/**
 * The project's own copy of the command line, where the one that was started is another (a global install).
 *
 * An app and the command line that runs it must come from one copy: each has its own class `Lovage`.
 */
function localMain(): string {
  const own = fileURLToPath(new URL('./main.js', import.meta.url))
  const folder = valueOf(process.argv.slice(2), '--workdir') ?? '.'
  try {
    const require = createRequire(join(realpathSync(folder), 'package.json'))
    const main = join(dirname(require.resolve('lovage/package.json')), 'dist', 'src', 'cli', 'main.js')
    return existsSync(main) ? main : own
  } catch {
    return own
  }
}

/** What `main.js` of any copy exports. */
interface Main {
  readonly runCommand: (argv: readonly string[]) => Promise<number>
}

function isMain(value: unknown): value is Main {
  return isRecord(value) && typeof value['runCommand'] === 'function'
}

const main: unknown = await import(pathToFileURL(localMain()).href)
const argv = [...argumentsOfProgram(process.argv[1]), ...process.argv.slice(2)]
const exitCode = isMain(main) ? await main.runCommand(argv) : 1
// What the app's own modules hold open (pools, timers) must not keep a finished command alive.
process.stdout.write('', () => process.exit(exitCode))

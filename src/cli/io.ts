import { styleText } from 'node:util'

/** A stream that a command writes to. */
export interface CommandOutput {
  /** Write text as it is. */
  write(text: string): unknown
  /** Whether a person looks at it. */
  readonly isTTY?: boolean | undefined
}

/** What a command reads from and writes to: the process's own, or those of a host or test. */
export interface CommandIo {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean | undefined }
  readonly stdout: CommandOutput
  readonly stderr: CommandOutput
  readonly env: Readonly<Record<string, string | undefined>>
  /** The working folder, which `--workdir` moves. */
  readonly cwd: string
}

/**
 * The streams, variables and folder of this process.
 *
 * From then on the process outlives the readers of its output: `lovage worker | head -n 3` works on when `head` is done.
 */
export function processIo(): CommandIo {
  for (const stream of [process.stdout, process.stderr]) {
    if (!stream.listeners('error').includes(ignoreClosedReader)) stream.on('error', ignoreClosedReader)
  }
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
  }
}

function ignoreClosedReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}

/** The looks that the commands use. */
export type Look = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

/** Gives text a look, or leaves it alone where colours are not wanted. */
export type Paint = (look: Look, text: string) => string

/**
 * How to paint on a stream: colours only on a terminal, never with `NO_COLOR` or `--no-color`.
 *
 * `FORCE_COLOR` paints anywhere. An empty `NO_COLOR` counts for nothing, as its definition asks.
 */
export function painter(output: CommandOutput, io: Pick<CommandIo, 'env'>, wanted = true): Paint {
  if (!wanted || isSet(io.env['NO_COLOR'])) return plain
  const forced = isSet(io.env['FORCE_COLOR']) && io.env['FORCE_COLOR'] !== '0'
  if (!forced && (output.isTTY !== true || io.env['TERM'] === 'dumb')) return plain
  return (look, text) => styleText(look, text, { validateStream: false })
}

function plain(_look: Look, text: string): string {
  return text
}

function isSet(variable: string | undefined): boolean {
  return variable !== undefined && variable !== ''
}

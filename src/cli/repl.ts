import { Recoverable, start, type REPLServer } from 'node:repl'
import { PassThrough } from 'node:stream'
import { createInterface } from 'node:readline'

import { EXIT, type ExitCode } from './exit-code.js'
import { printValue } from './print.js'
import type { Session } from './session.js'

/** What the code of a shell can name. */
export type ShellNames = Readonly<Record<string, unknown>>

/** Node's own REPL on this terminal, until it is left. */
export async function runTerminal(names: ShellNames): Promise<void> {
  const server = start({ prompt: 'lovage> ', useGlobal: false })
  Object.assign(server.context, names)
  await new Promise<void>((resolve) => {
    server.once('exit', resolve)
  })
}

/**
 * Run a script from standard input line by line, as if it was typed: values are printed, `await` works, a statement
 * may go over several lines.
 *
 * The first error ends it, with its stack and exit code 1.
 */
export async function runPiped(names: ShellNames, session: Session): Promise<ExitCode> {
  const server = start({ prompt: '', input: new PassThrough(), output: new PassThrough(), terminal: false })
  Object.assign(server.context, names)
  let pending = ''
  try {
    for await (const line of createInterface({ input: session.io.stdin })) {
      pending += `${line}\n`
      if (await runLine(server, pending, session)) pending = ''
    }
    // What is still incomplete at the end gets its syntax error told.
    if (pending.trim() !== '') await runLine(server, `${pending};}`, session)
    return EXIT.done
  } catch (error) {
    session.io.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    return EXIT.failed
  } finally {
    server.close()
  }
}

/** Resolves with whether the text was complete. */
async function runLine(server: REPLServer, text: string, session: Session): Promise<boolean> {
  try {
    const value = await evaluate(server, text)
    if (value !== undefined) printValue(session.io.stdout, value, session.colors)
    return true
  } catch (error) {
    if (error instanceof Recoverable) return false
    throw error
  }
}

function evaluate(server: REPLServer, text: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    server.eval.call(server, text, server.context, 'shell', (error, value: unknown) => {
      if (error === null) resolve(value)
      else reject(error)
    })
  })
}

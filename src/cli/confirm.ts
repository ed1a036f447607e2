import { createInterface } from 'node:readline/promises'

import type { CommandContext } from './command-context.js'
import { UsageError } from './usage-error.js'

/**
 * Ask before something is destroyed.
 *
 * @returns Whether the answer was yes.
 * @throws UsageError when nobody can be asked because standard input is not a terminal.
 */
export async function confirm(session: CommandContext, question: string): Promise<boolean> {
  const { stdin, stderr } = session.io
  if (stdin.isTTY !== true) throw new UsageError('nobody can be asked here; add --force to go on without')
  stderr.write(`${question} (yes/no) `)
  const lines = createInterface({ input: stdin })
  try {
    const answer = await lines.question('')
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    lines.close()
  }
}

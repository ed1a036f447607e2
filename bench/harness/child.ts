import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Sample } from './scenario.js'

/** Run one round of one contestant in a process of its own. */
export async function runRound(scenario: string, contestant: string): Promise<Sample> {
  const child = fork(fileURLToPath(new URL('round.js', import.meta.url)), [scenario, contestant])
  const exited = exitOf(child)
  const sample = await answer(child, isSample)
  await exited
  return sample
}

/** The next message of a child; rejects when it ends without one. */
export function answer<Kind>(
  child: ChildProcess,
  isKind: (message: unknown) => message is Kind,
): Promise<Kind> {
  return new Promise((resolve, reject) => {
    const exit = (code: number | null): void => {
      reject(new Error(`the child process ended without an answer, exit code ${code ?? 'none'}`))
    }
    child.once('exit', exit)
    child.once('message', (message) => {
      child.off('exit', exit)
      if (isKind(message)) resolve(message)
      else reject(new Error(`the child process answered ${JSON.stringify(message)}`))
    })
  })
}

/** Resolves when a child has ended. */
export function exitOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => {
      resolve()
    })
  })
}

/** Whether a message of a child holds numbers by name. */
export function isSample(message: unknown): message is Sample {
  return (
    typeof message === 'object' &&
    message !== null &&
    Object.values(message).every((value) => typeof value === 'number')
  )
}

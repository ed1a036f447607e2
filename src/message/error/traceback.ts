import { isError } from '../../util/is-error.js'
import { nameOf } from './describe-error.js'

const MAX_CAUSES = 5
const BRIDGE = '\nThe above exception was the direct cause of the following exception:\n\n'

/**
 * The stack of an error in the form Celery stores: a header, the frames of the JavaScript stack, `Type: message`.
 *
 * Causes come first, as in Python.
 */
export function formatTraceback(error: unknown): string {
  const parts: string[] = []
  let current = error
  for (let count = 0; count <= MAX_CAUSES && current !== undefined && current !== null; count += 1) {
    parts.unshift(onePart(current))
    current = isError(current) ? current.cause : undefined
  }
  return parts.join(BRIDGE)
}

function onePart(error: unknown): string {
  if (!isError(error)) return `Traceback (most recent call first):\nError: ${printed(error)}\n`
  // `Error.prepareStackTrace` may make anything of it.
  const stack: unknown = error.stack
  const frames = (typeof stack === 'string' ? stack : '').split('\n').filter((line) => /^\s+at /.test(line))
  const lines = ['Traceback (most recent call first):', ...frames, `${nameOf(error)}: ${error.message}`]
  return `${lines.join('\n')}\n`
}

function printed(value: unknown): string {
  try {
    if (typeof value === 'string') return value
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- it is undefined for a function
    return JSON.stringify(value) ?? typeof value
  } catch {
    return typeof value
  }
}

import { TaskArgumentsError } from '../errors/errors.js'
import type { TaskDefinition } from './definition.js'
import { printIssues, type StandardSchema } from './schema.js'

/** Keyword arguments as they travel. */
export type Kwargs = Readonly<Record<string, unknown>>

/**
 * The positional arguments of a body, from what was sent.
 *
 * With `params` keyword arguments are bound by name, with Python's errors; without, they arrive as one trailing object.
 *
 * @throws {@link TaskArgumentsError} when they do not fit.
 */
export function bindArguments(
  definition: TaskDefinition,
  args: readonly unknown[],
  kwargs: Kwargs,
): readonly unknown[] {
  const bound =
    definition.options.params === undefined
      ? appendKwargs(args, kwargs)
      : bindByName(definition, args, kwargs)
  // A schema knows better: it may fill in what is missing.
  if (definition.options.args === undefined) checkCount(definition, bound)
  return bound
}

function appendKwargs(args: readonly unknown[], kwargs: Kwargs): readonly unknown[] {
  for (const key in kwargs) if (Object.hasOwn(kwargs, key)) return [...args, kwargs]
  return args
}

function bindByName(
  definition: TaskDefinition,
  args: readonly unknown[],
  kwargs: Kwargs,
): readonly unknown[] {
  const names = (definition.options.params ?? []).map((param) => param.replace(/\?$/, ''))
  const bound = [...args]
  for (const [key, value] of Object.entries(kwargs)) {
    const position = names.indexOf(key)
    if (position === -1) throw refused(definition, `got an unexpected keyword argument '${key}'`)
    if (position < args.length) throw refused(definition, `got multiple values for argument '${key}'`)
    bound[position] = value
  }
  const missing = names.filter((_, index) => isRequired(definition, index) && !(index in bound))
  if (missing.length > 0) throw refused(definition, missingText(missing))
  // An optional parameter left out between two given ones is a hole: pass undefined for it.
  return Array.from(bound)
}

function isRequired(definition: TaskDefinition, index: number): boolean {
  return definition.options.params?.[index]?.endsWith('?') === false
}

function missingText(names: readonly string[]): string {
  const plural = names.length === 1 ? '' : 's'
  return `missing ${String(names.length)} required argument${plural}: ${names.map((name) => `'${name}'`).join(', ')}`
}

function checkCount(definition: TaskDefinition, bound: readonly unknown[]): void {
  const { least, most } = definition.arity
  if (bound.length >= least && bound.length <= most) return
  const atMost = most === Infinity ? `at least ${least}` : `${least} to ${most}`
  const expected = most === least ? String(least) : atMost
  // TypeScript's `z?` is gone at run time: say how it can be kept.
  const isGuess = bound.length < least && definition.options.params === undefined
  const hint = isGuess ? "; an optional parameter needs a default value, or params: ['x', 'z?']" : ''
  throw refused(definition, `takes ${expected} arguments but ${bound.length} were given${hint}`)
}

function refused(definition: TaskDefinition, text: string): TaskArgumentsError {
  return new TaskArgumentsError(`${definition.name}() ${text}`)
}

/**
 * Run a value through a schema.
 *
 * @param what - Named in the error: `arguments of tasks.add`.
 * @returns The schema's output, which may differ from its input.
 * @throws {@link TaskArgumentsError} with the schema's issues.
 */
export async function validate(schema: StandardSchema, value: unknown, what: string): Promise<unknown> {
  const found = await schema['~standard'].validate(value)
  if (found.issues === undefined) return found.value
  throw new TaskArgumentsError(`${what} do not fit the schema: ${printIssues(found.issues)}`, found.issues)
}

/** Run arguments through the schema of a task that has one. */
export async function validateArguments(
  definition: TaskDefinition,
  args: readonly unknown[],
): Promise<readonly unknown[]> {
  const schema = definition.options.args
  if (schema === undefined) return args
  const checked = await validate(schema, args, `arguments of ${definition.name}`)
  if (!isArray(checked)) throw refused(definition, 'has a schema whose output is not an array of arguments')
  return checked
}

/**
 * Check a call before it is sent: what the schema takes as input travels, not its output, so that the worker's check
 * sees what the caller wrote.
 *
 * @param strict - Whether the number of arguments is checked where the task does not say (`strictTyping`).
 */
export async function checkCall(
  definition: TaskDefinition,
  args: readonly unknown[],
  kwargs: Kwargs,
  strict = true,
): Promise<void> {
  if (definition.options.args === undefined) checkFit(definition, args, kwargs, strict)
  else await validateArguments(definition, bindArguments(definition, args, kwargs))
}

/** {@link checkCall} for a task without a schema: at once, because each send pays for a promise. */
export function checkFit(
  definition: TaskDefinition,
  args: readonly unknown[],
  kwargs: Kwargs,
  strict: boolean,
): void {
  if (definition.options.typing ?? strict) bindArguments(definition, args, kwargs)
}

function isArray(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}

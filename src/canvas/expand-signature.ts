import { randomUUID } from 'node:crypto'

import { UnsupportedError } from '../errors/errors.js'
import type { WireSignature } from '../message/task-message.js'
import { append } from '../util/long-list.js'
import { isWireSignature } from './wire-options.js'

/** A signature that is one message, and the rest of the chain it starts. */
export interface PlainCall {
  readonly signature: WireSignature
  /** In reverse order, as it travels. */
  readonly chain: readonly WireSignature[]
}

/** What a signature stands for: one message, or the members of a group. */
export type ExpandedSignature =
  | { readonly kind: 'task'; readonly call: PlainCall }
  | { readonly kind: 'group'; readonly id: string; readonly calls: readonly PlainCall[] }

type WireOptions = Readonly<Record<string, unknown>>

const NOTHING: readonly never[] = []

/**
 * Whether calling this needs a chord: a chord itself, or a group that is followed by something.
 *
 * A chord further down a chain is not asked for: it is called by whoever runs the task before it.
 */
export function needsChord(signature: WireSignature): boolean {
  switch (signature.subtask_type) {
    case 'chord':
      return true
    case 'group':
      return tasksOf(signature).some(needsChord)
    case 'chain': {
      const steps = stepsOf(signature)
      return (
        steps.slice(0, -1).some((step) => step.subtask_type === 'group') || steps.slice(0, 1).some(needsChord)
      )
    }
    default:
      return false
  }
}

/**
 * The messages that one signature stands for: a group is its members, a chain its first task with the rest behind it.
 *
 * @param rest - What follows it, in reverse order.
 * @returns `undefined` for a group or chain of nothing.
 * @throws {@link UnsupportedError} for a chord.
 * @source Celery 5.7, `celery/canvas.py`: `group.apply_async`, `_chain.run` and `_chain.prepare_steps`.
 */
export function expandSignature(
  signature: WireSignature,
  rest: readonly WireSignature[] = NOTHING,
): ExpandedSignature | undefined {
  if (needsChord(signature)) {
    throw new UnsupportedError(`chords are not supported yet: "${signature.task}" cannot be called`)
  }
  switch (signature.subtask_type) {
    case 'group':
      return expandGroup(signature, rest)
    case 'chain':
      return expandChain(signature, rest)
    default:
      return { kind: 'task', call: { signature, chain: rest } }
  }
}

/** Several signatures that are called with the same value, as one new group. */
export function groupOf(tasks: readonly WireSignature[]): WireSignature {
  return {
    task: 'celery.group',
    args: [],
    kwargs: { tasks },
    options: {},
    subtask_type: 'group',
    immutable: false,
  }
}

/**
 * The ids under which somebody may wait for what a signature of a chain never comes to: its own, the last one of a chain,
 * those of a group's members, that of a chord's body.
 */
export function awaitedIds(signature: WireSignature): readonly string[] {
  const own = textOf(signature.options['task_id'])
  const ids = own === undefined ? [] : [own]
  if (signature.subtask_type === 'chord') {
    const body = signature.kwargs['body']
    return isWireSignature(body) ? [...ids, ...awaitedIds(complete(body))] : ids
  }
  if (signature.subtask_type !== 'group' && signature.subtask_type !== 'chain') return ids
  return [...ids, ...tasksOf(signature).flatMap(awaitedIds)]
}

function expandGroup(group: WireSignature, rest: readonly WireSignature[]): ExpandedSignature | undefined {
  const { task_id: ownId, ...options } = present(group.options)
  const id = textOf(ownId) ?? randomUUID()
  const calls: PlainCall[] = []
  for (const [index, member] of membersOf(group).entries()) {
    const placed = merged(member, { ...options, group_id: id, group_index: index })
    const expanded = expandSignature(placed, rest)
    if (expanded?.kind === 'task') calls.push(expanded.call)
    else if (expanded !== undefined) append(calls, expanded.calls)
  }
  return calls.length === 0 ? undefined : { kind: 'group', id, calls }
}

/** A group in a group is as if its members stood in its place. */
function membersOf(group: WireSignature): readonly WireSignature[] {
  return tasksOf(group).flatMap((task) => (task.subtask_type === 'group' ? membersOf(task) : [task]))
}

/** What a chain is told goes to its last task; its errbacks go to every one, and where to publish only to the first. */
function expandChain(chain: WireSignature, rest: readonly WireSignature[]): ExpandedSignature | undefined {
  const { task_id, group_id, group_index, chord, link, link_error, ...options } = present(chain.options)
  const atEnd = present({ task_id, group_id, group_index, chord })
  const steps = stepsOf(chain).map((step) => withLinks(withId(step), 'link_error', link_error))
  const last = steps.pop()
  if (last === undefined) return undefined
  steps.push(withLinks(merged(last, atEnd), 'link', link))
  const [first = last, ...others] = steps
  const given = chain.immutable === true ? first : withArguments(first, chain.args)
  return expandSignature(merged(given, options), [...rest, ...others.reverse()])
}

/** A chain in a chain is as if its steps stood in its place. */
function stepsOf(chain: WireSignature): readonly WireSignature[] {
  return tasksOf(chain).flatMap((task) => (task.subtask_type === 'chain' ? stepsOf(task) : [task]))
}

function tasksOf(signature: WireSignature): readonly WireSignature[] {
  const tasks: unknown = signature.kwargs['tasks']
  return Array.isArray(tasks) ? tasks.filter(isWireSignature).map(complete) : NOTHING
}

/** Only the outermost signatures of a message were checked when it was read. */
function complete(signature: Partial<WireSignature> & Pick<WireSignature, 'task'>): WireSignature {
  return { args: [], kwargs: {}, options: {}, ...signature }
}

function merged(signature: WireSignature, options: WireOptions): WireSignature {
  return { ...signature, options: { ...signature.options, ...options } }
}

function withId(step: WireSignature): WireSignature {
  return textOf(step.options['task_id']) === undefined ? merged(step, { task_id: randomUUID() }) : step
}

function withArguments(step: WireSignature, args: readonly unknown[]): WireSignature {
  return step.immutable === true ? step : { ...step, args: [...args, ...step.args] }
}

function withLinks(step: WireSignature, key: 'link' | 'link_error', links: unknown): WireSignature {
  if (links === undefined) return step
  return merged(step, { [key]: [...listOf(step.options[key]), ...listOf(links)] })
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return NOTHING
  return Array.isArray(value) ? value : [value]
}

/** Null means "not set". */
function present(options: WireOptions): WireOptions {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== null && value !== undefined),
  )
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

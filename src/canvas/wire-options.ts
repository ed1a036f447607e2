import { TaskError } from '../errors/errors.js'
import type { Embed, WireSignature } from '../message/task-message.js'
import type { CallOptions, Link } from '../task/call-options.js'
import { toMs } from '../util/duration.js'
import { refuseUnknown, type KnownMembers } from '../util/known-members.js'
import { isRecord } from '../util/record.js'
import { printed } from '../util/shown.js'

/** Options of a signature, split into what a call takes and what travels in the message's embed. */
export interface SignatureOptions {
  readonly options: CallOptions
  readonly embed: Partial<Embed>
}

type Reader = (value: unknown) => Partial<CallOptions> | undefined

const text =
  (
    key:
      | 'taskId'
      | 'queue'
      | 'exchange'
      | 'routingKey'
      | 'serializer'
      | 'compression'
      | 'shadow'
      | 'replyTo'
      | 'rootId'
      | 'parentId'
      | 'groupId'
      | 'argsRepr'
      | 'kwargsRepr',
  ): Reader =>
  (value) =>
    typeof value === 'string' ? { [key]: value } : undefined

const number =
  (key: 'countdown' | 'priority' | 'timeLimit' | 'softTimeLimit' | 'groupIndex'): Reader =>
  (value) =>
    typeof value === 'number' ? { [key]: value } : undefined

const flag =
  (key: 'ignoreResult' | 'retry'): Reader =>
  (value) =>
    typeof value === 'boolean' ? { [key]: value } : undefined

/** Celery's option names, and how each becomes ours. What is not here is not passed on. */
const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['task_id', text('taskId')],
  ['queue', text('queue')],
  ['exchange', text('exchange')],
  ['routing_key', text('routingKey')],
  ['serializer', text('serializer')],
  ['compression', text('compression')],
  ['shadow', text('shadow')],
  ['reply_to', text('replyTo')],
  ['root_id', text('rootId')],
  ['parent_id', text('parentId')],
  ['group_id', text('groupId')],
  ['argsrepr', text('argsRepr')],
  ['kwargsrepr', text('kwargsRepr')],
  ['countdown', number('countdown')],
  ['priority', number('priority')],
  ['time_limit', number('timeLimit')],
  ['soft_time_limit', number('softTimeLimit')],
  ['group_index', number('groupIndex')],
  ['ignore_result', flag('ignoreResult')],
  ['retry', flag('retry')],
  ['headers', (value) => (isRecord(value) ? { headers: value } : undefined)],
  ['eta', (value) => moment('eta', value)],
  ['expires', (value) => (typeof value === 'number' ? { expires: value } : moment('expires', value))],
])

/** Options without a reader that Celery's signatures may hold all the same: links, stamps, and what is for publishing. */
const OTHER_OPTIONS = [
  'link',
  'link_error',
  'chain',
  'chord',
  'stamped_headers',
  'add_to_parent',
  'confirm_timeout',
  'content_encoding',
  'content_type',
  'declare',
  'delivery_mode',
  'exchange_type',
  'expiration',
  'immediate',
  'mandatory',
  'replaced_task_nesting',
  'retry_policy',
  'timeout',
]

const WIRE_MEMBERS = {
  task: true,
  args: true,
  kwargs: true,
  options: true,
  subtask_type: true,
  immutable: true,
} satisfies KnownMembers<WireSignature>

/**
 * Read the options of a plain signature that a caller wrote, and refuse what {@link fromWireOptions} would leave out.
 *
 * @throws {@link TaskError} for a member or an option that does not exist, and for an option of the wrong type.
 */
export function readPlainOptions(signature: Partial<WireSignature>, task: string): CallOptions {
  const what = `the signature of ${task}`
  refuseUnknown(signature, WIRE_MEMBERS, what, TaskError)
  const wire = signature.options ?? {}
  const { options } = fromWireOptions(wire)
  const names = [...READERS.keys(), ...OTHER_OPTIONS, ...Object.keys(options.stamps ?? {})]
  refuseUnknown(wire, Object.fromEntries(names.map((name) => [name, true])), what, TaskError)
  for (const [name, value] of Object.entries(wire)) {
    const read = READERS.get(name)
    if (value !== null && value !== undefined && read !== undefined && read(value) === undefined)
      throw new TaskError(`${what} has a wrong ${name}: ${printed(value)}`)
  }
  return options
}

function moment(key: 'eta' | 'expires', value: unknown): Partial<CallOptions> | undefined {
  if (value instanceof Date) return { [key]: value }
  const parsed = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(parsed) ? undefined : { [key]: new Date(parsed) }
}

/**
 * Read the options of a signature that came by wire. Null means "not set"; names without a meaning here are left out.
 *
 * @source Celery 5.7, `celery/canvas.py`: the options a frozen signature holds.
 */
export function fromWireOptions(wire: Readonly<Record<string, unknown>>): SignatureOptions {
  const options = {}
  for (const [name, value] of Object.entries(wire)) {
    if (value !== null) Object.assign(options, READERS.get(name)?.(value))
  }
  const { link, link_error: linkError, chain, chord } = wire
  const embed = {
    callbacks: signatureList(link),
    errbacks: signatureList(linkError),
    chain: signatureList(chain),
    chord: isWireSignature(chord) ? chord : null,
  }
  return { options: { ...options, ...stampOptions(wire) }, embed }
}

/** Stamps of a signature become headers of its message. */
function stampOptions(wire: Readonly<Record<string, unknown>>): Partial<CallOptions> {
  const names = wire['stamped_headers']
  if (!Array.isArray(names)) return {}
  const stampedHeaders = names.filter((name) => typeof name === 'string')
  const stamps = Object.fromEntries(stampedHeaders.map((name) => [name, wire[name]]))
  return { stamps }
}

/** Whether this has the four keys that every reader needs. */
export function isWireSignature(value: unknown): value is WireSignature {
  return isRecord(value) && typeof value['task'] === 'string'
}

function signatureList(value: unknown): readonly WireSignature[] | null {
  const list = (Array.isArray(value) ? value : [value]).filter(isWireSignature)
  return list.length === 0 ? null : list
}

/** The plain signatures of what a caller linked. */
export function toWireLinks(link: Link | undefined): readonly WireSignature[] | null {
  if (link === undefined) return null
  const list = isList(link) ? link : [link]
  return list.map((one) => ('toJSON' in one ? one.toJSON() : one))
}

function isList(link: Link): link is Extract<Link, readonly unknown[]> {
  return Array.isArray(link)
}

/** Write the options of a call as a signature carries them; durations become seconds. */
export function toWireOptions(options: CallOptions): Readonly<Record<string, unknown>> {
  const seconds = (value: CallOptions['countdown'], name: string): number | undefined =>
    value === undefined ? undefined : toMs(value, name) / 1000
  const expires =
    options.expires instanceof Date ? options.expires.toISOString() : seconds(options.expires, 'expires')
  const wire = {
    task_id: options.taskId,
    queue: options.queue,
    exchange: options.exchange,
    routing_key: options.routingKey,
    priority: options.priority,
    countdown: seconds(options.countdown, 'countdown'),
    eta: options.eta?.toISOString(),
    expires,
    serializer: options.serializer,
    compression: options.compression,
    shadow: options.shadow,
    reply_to: options.replyTo,
    ignore_result: options.ignoreResult,
    time_limit: seconds(options.timeLimit, 'timeLimit'),
    soft_time_limit: seconds(options.softTimeLimit, 'softTimeLimit'),
    headers: options.headers,
    root_id: options.rootId,
    parent_id: options.parentId,
    group_id: options.groupId,
    group_index: options.groupIndex,
    link: toWireLinks(options.link) ?? undefined,
    link_error: toWireLinks(options.linkError) ?? undefined,
  }
  return Object.fromEntries(Object.entries(wire).filter(([, value]) => value !== undefined))
}

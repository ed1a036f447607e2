import type { WireSignature } from '../message/task-message.js'
import type { CallOptions, SignatureLike } from '../task/call-options.js'
import { checkTaskCall } from '../task/check-call.js'
import { withoutNulls } from '../util/without-nulls.js'
import { toWireOptions } from './wire-options.js'
import { refuseUnknown, type KnownMembers } from '../util/known-members.js'
import { TaskError } from '../errors/errors.js'

/** What a signature is made of. */
export interface SignatureParts {
  readonly task: string
  readonly args?: readonly unknown[]
  readonly kwargs?: Readonly<Record<string, unknown>>
  readonly options?: CallOptions
  /** Ignore the arguments that the caller adds. */
  readonly immutable?: boolean
}

const SIGNATURE_PARTS = {
  task: true,
  args: true,
  kwargs: true,
  options: true,
  immutable: true,
} satisfies KnownMembers<SignatureParts>

/**
 * A call that is not made yet: it can be linked to another, and travels in messages as Celery's plain object.
 *
 * @source Celery 5.7, `celery/canvas.py`, `Signature`.
 */
export class Signature implements SignatureLike {
  readonly task: string
  readonly args: readonly unknown[]
  readonly kwargs: Readonly<Record<string, unknown>>
  readonly options: CallOptions
  readonly immutable: boolean
  readonly #parts: SignatureParts

  /** @throws {@link TaskError} for what no call can have; `ConfigError` for a length of time that is none. */
  constructor(parts: SignatureParts) {
    refuseUnknown(parts, SIGNATURE_PARTS, `the signature of ${parts.task}`, TaskError)
    this.#parts = parts
    this.task = parts.task
    this.args = parts.args ?? []
    this.kwargs = parts.kwargs ?? {}
    this.options = withoutNulls(parts.options)
    this.immutable = parts.immutable ?? false
    checkTaskCall({ name: this.task, args: this.args, kwargs: this.kwargs, options: this.options })
  }

  /** A copy with these options added; they win over the present ones. */
  set(options: CallOptions): Signature {
    return new Signature({ ...this.#parts, options: { ...this.options, ...withoutNulls(options) } })
  }

  /** Celery's plain object, which is also what `JSON.stringify` writes. */
  toJSON(): WireSignature {
    return {
      task: this.task,
      args: this.args,
      kwargs: this.kwargs,
      options: toWireOptions(this.options),
      subtask_type: null,
      immutable: this.immutable,
    }
  }
}

/** Make a signature by name, for a task that may live in another code base. */
export function signature(task: string, parts: Omit<SignatureParts, 'task'> = {}): Signature {
  return new Signature({ ...parts, task })
}

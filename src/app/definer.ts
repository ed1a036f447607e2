import { TaskError } from '../errors/errors.js'
import type { StandardSchema } from '../task/schema.js'
import type { BoundBody, CallableTask, PlainBody } from '../task/task.js'
import type { UntypedCallable } from './callable.js'
import { parseDefinition, type AnyBody, type DefineOptions, type MethodOwner } from './define.js'

/** Options with `bind`: the body takes its context first. */
export interface BoundOptions extends DefineOptions {
  readonly bind: true
}

/** Options without `bind`. */
export interface PlainOptions extends DefineOptions {
  readonly bind?: false
}

/** Options whose schema gives the types: callers pass its input, the body gets its output. */
export type SchemaOptions<Options, Input, Output> = Omit<Options, 'args'> & {
  readonly args: StandardSchema<Input, Output>
}

/** Decorates a class method, static or not, as a task; `taskOf` gives the callable task of a decorated method. */
export type TaskDecorator = <This extends object, Args extends readonly unknown[], Result>(
  method: (this: This, ...args: Args) => Result,
  context: ClassMethodDecoratorContext<This, (this: This, ...args: Args) => Result>,
) => (this: This, ...args: Args) => Result

/* eslint-disable @typescript-eslint/unified-signatures -- one form a line reads better in an editor */
/**
 * The task that a plain function becomes.
 *
 * The function's type is inferred as a whole, not by its parameters, so that a parameter with a default value has the
 * type of that value.
 */
export type TaskOf<Body> = Body extends (...args: infer Args) => infer Result
  ? CallableTask<Args, Result>
  : never

/** Any function, in a form that says nothing of its parameters to the one that is given. */
type AnyFunction = CallableFunction

/** The forms of `app.task`. The function is the source of every type. */
export interface DefineTask {
  <Body extends AnyFunction>(body: Body): TaskOf<Body>
  <Body extends AnyFunction>(name: string, body: Body): TaskOf<Body>
  <Input extends readonly unknown[], Output extends readonly unknown[], Result>(
    options: SchemaOptions<BoundOptions, Input, Output>,
    body: BoundBody<Output, Result>,
  ): CallableTask<Input, Result>
  <Input extends readonly unknown[], Output extends readonly unknown[], Result>(
    options: SchemaOptions<PlainOptions, Input, Output>,
    body: PlainBody<Output, Result>,
  ): CallableTask<Input, Result>
  <Args extends readonly unknown[], Result>(
    options: WithoutSchema<BoundOptions>,
    body: BoundBody<Args, Result>,
  ): CallableTask<Args, Result>
  <Body extends AnyFunction>(options: WithoutSchema<PlainOptions>, body: Body): TaskOf<Body>
  <Args extends readonly unknown[], Result>(
    name: string,
    options: BoundOptions,
    body: BoundBody<Args, Result>,
  ): CallableTask<Args, Result>
  <Body extends AnyFunction>(name: string, options: PlainOptions, body: Body): TaskOf<Body>
  <Body extends AnyFunction>(name: string, body: Body, options: PlainOptions): TaskOf<Body>
  (options?: DefineOptions): TaskDecorator
  (name: string): TaskDecorator
}

/** A schema of arguments that do not fit the function must not be taken for no schema. */
type WithoutSchema<Options> = Options & { readonly args?: never }

/** Makes and registers a task. */
export type Definer = (options: DefineOptions, body: AnyBody, method?: MethodOwner) => UntypedCallable

/** The function behind `app.task` and `task`. */
export function createDefineTask(define: Definer): DefineTask {
  function task<Args extends readonly unknown[], Result>(
    ...parts: readonly unknown[]
  ): CallableTask<Args, Result>
  function task(options?: DefineOptions | string): TaskDecorator
  function task(...parts: readonly unknown[]): unknown {
    const { options, body } = parseDefinition(parts)
    return body === undefined ? createDecorator(options, define) : define(options, body)
  }
  return task
}

const decoratedTasks = new WeakMap<object, UntypedCallable>()

function createDecorator(options: DefineOptions, define: Definer): TaskDecorator {
  return (method, context) => {
    const decorated: typeof method = function (...args) {
      return Reflect.apply(method, this, args)
    }
    context.addInitializer(function () {
      const localName = `${classNameOf(this, context.static)}.${String(context.name)}`
      decoratedTasks.set(decorated, define(options, method, { receiver: this, localName }))
    })
    return decorated
  }
}

function classNameOf(receiver: object, isStatic: boolean): string {
  return isStatic ? String(Reflect.get(receiver, 'name')) : receiver.constructor.name
}

/**
 * The callable task of a decorated method: `taskOf(Mailer.send).delay('a@example.org')`.
 *
 * An instance method becomes a task when its class is first instantiated, and runs on the newest instance.
 *
 * @throws {@link TaskError} for a function that is no decorated method, or whose class has no instance yet.
 */
export function taskOf<Args extends readonly unknown[], Result>(
  method: (...args: Args) => Result,
): CallableTask<Args, Result>
export function taskOf(method: object): unknown {
  const callable = decoratedTasks.get(method)
  if (callable === undefined)
    throw new TaskError('expected a method decorated as a task, of a class that has an instance')
  return callable
}

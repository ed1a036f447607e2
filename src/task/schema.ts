/**
 * The part of the Standard Schema interface (version 1) that Lovage calls; zod, valibot and arktype implement it.
 *
 * Declared here because it is an interface to implement, not a library to load.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

/** What a schema found. */
export type SchemaResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] }

/** One thing that is wrong with a value. */
export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** Print issues as `path: message`, one after the other. */
export function printIssues(issues: readonly SchemaIssue[]): string {
  return issues.map((issue) => `${printPath(issue)}${issue.message}`).join('; ')
}

function printPath(issue: SchemaIssue): string {
  if (issue.path === undefined || issue.path.length === 0) return ''
  return `${issue.path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.')}: `
}

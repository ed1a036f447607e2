import type { Config } from './config.js'
import { OPTIONS } from './option/option-table.js'
import type { Option } from './option/option.js'

/** The name of an option in the resolved config: lengths of time end in `Ms`. */
export function resolvedName(name: string, option: Option): string {
  return option.kind === 'duration' ? `${name}Ms` : name
}

/** Whether an object has a member for every option of the table; their types were seen to when they were read. */
export function isConfig(
  value: Readonly<Record<string, unknown>>,
): value is Record<string, unknown> & Config {
  return [...OPTIONS].every(([name, option]) => resolvedName(name, option) in value)
}

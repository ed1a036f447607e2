import { register } from 'node:module'

let registered = false

/**
 * Let `import` read TypeScript in this process from now on.
 *
 * Nothing of the compiler is loaded before the first TypeScript file.
 */
export function enableTypeScript(): void {
  if (registered) return
  registered = true
  register('./typescript-hooks.js', import.meta.url)
}

/** Make stacks point into the TypeScript; not done for JavaScript apps, whose stacks it would slow down. */
export function showTypeScriptStacks(): void {
  process.setSourceMapsEnabled(true)
}

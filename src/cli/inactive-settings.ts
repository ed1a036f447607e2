import { INACTIVE_OPTIONS } from '../config/option/inactive.js'
import type { Settings } from '../config/settings.js'

/** One sentence about the settings that are set and that nothing acts on in this version; `undefined` where there are none. */
export function inactiveSettingsNote(settings: Settings): string | undefined {
  const names = [...INACTIVE_OPTIONS]
    .filter(([name]) => settings.has(name))
    .map(([name, { reason }]) => `${name} (${reason})`)
  if (names.length === 0) return undefined
  return `Warning: nothing acts on these settings in this version: ${names.join(', ')}`
}

import { defaultText } from './config-types.mjs'

/** The page `docs/reference/configuration.md`. */
export function configPage(areas, descriptions) {
  return ''
}

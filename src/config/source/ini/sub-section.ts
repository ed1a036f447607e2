import { camel } from '../../value/members.js'
import { guessedFromText } from '../../value/from-text.js'
import { jsonFromText } from '../../value/text.js'
import { label } from './beat-section.js'
import type { EffectiveSection, IniEntry } from './ini-file.js'

/** The keys that stand in the section itself. */
function ownEntries(section: EffectiveSection): readonly IniEntry[] {
  return [...section.entries.values()].filter((entry) => !entry.isDefault)
}

/** A section such as `[celery:broker_transport_options]` as an object; each value is JSON, a switch or text. */
export function dictOf(section: EffectiveSection): Readonly<Record<string, unknown>> {
  return Object.fromEntries(ownEntries(section).map((entry) => [entry.key, guessedFromText(entry.text())]))
}

/** A section `[celeryroutes]` or `[celery:routes]`: task name or glob, and a queue name or a JSON object. */
export function routesOf(section: EffectiveSection): Readonly<Record<string, unknown>> {
  return Object.fromEntries(ownEntries(section).map((entry) => [entry.key, queueOrJson(entry)]))
}

/**
 * A section `[celeryroute:task]` with `queue`, `routing_key` and the like.
 *
 * @source pyramid_celery 4.0, `loaders.py`, `get_route_config`.
 */
export function routeOf(section: EffectiveSection): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    ownEntries(section).map((entry) => {
      const key = camel(entry.key)
      return [key, key === 'priority' ? guessedFromText(entry.text()) : entry.text()]
    }),
  )
}

/** A section `[celery:queues]`: queue names, each with nothing or a JSON object of its members. */
export function queuesOf(section: EffectiveSection): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    ownEntries(section).map((entry) => {
      const text = entry.text()
      return [entry.key, text === '' ? null : jsonFromText(text, label(entry))]
    }),
  )
}

function queueOrJson(entry: IniEntry): unknown {
  const text = entry.text()
  return text.startsWith('{') ? jsonFromText(text, label(entry)) : text
}

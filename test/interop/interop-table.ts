import type { InteropCase } from './support/interop-case.js'

/**
 * The table of docs/guide/celery-interop.md: a row for each feature, and in each cell the names of the tests that show it,
 * with a mark where one does not hold everywhere.
 */
export function interopTable(cases: readonly InteropCase[]): string {
  const features = [...new Set(cases.map(({ feature }) => feature))]
  const rows = features.map((feature) => {
    const of = (caller: InteropCase['caller']): string =>
      cases
        .filter((one) => one.feature === feature && one.caller === caller)
        .map(cellOf)
        .join('; ')
    return `| ${feature} | ${of('Python')} | ${of('Lovage')} |`
  })
  return ['| | Python calls Lovage | Lovage calls Python |', '| --- | --- | --- |', ...rows].join('\n')
}

function cellOf({ title, since52, only52, notOn }: InteropCase): string {
  const places = Object.keys(notOn ?? {}).join(' and ')
  const version = only52 === true ? ['5.2'] : since52 === true ? [] : ['5.7']
  const marks = [...version, ...(places === '' ? [] : [`not on ${places}`])]
  return marks.length === 0 ? title : `${title} (${marks.join(', ')})`
}

/** What the cells that do not hold everywhere say about it: a line for each place and reason. */
export function interopLimits(cases: readonly InteropCase[]): readonly string[] {
  return cases.flatMap(({ feature, caller, notOn }) =>
    Object.entries(notOn ?? {}).map(
      ([place, why]) => `- **${feature}**, called by ${caller}, on ${place}: ${why}.`,
    ),
  )
}

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { interopLimits, interopTable } from '../interop/interop-table.js'
import { interopSuite } from '../interop/suite.js'
import { projectRoot } from '../support/child.js'

const file = join(projectRoot, 'docs/guide/celery-interop.md')
// `LOVAGE_UPDATE_DOCS=true` writes the table anew; prettier then pads it.
if (process.env['LOVAGE_UPDATE_DOCS'] === 'true') {
  const written = put(readFileSync(file, 'utf8'), 'table', interopTable(interopSuite))
  writeFileSync(file, put(written, 'limits', interopLimits(interopSuite).join('\n')))
}
const page = readFileSync(file, 'utf8')

function put(text: string, name: string, content: string): string {
  const [before = '', rest = ''] = text.split(`<!-- ${name} -->`)
  return `${before}<!-- ${name} -->\n\n${content}\n\n<!-- end of ${name} -->${rest.split(`<!-- end of ${name} -->`)[1] ?? ''}`
}

/** The cells of a table without the padding that a formatter adds. */
function rows(markdown: string): readonly string[] {
  return markdown
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\|[\s|:-]+\|$/.test(line))
    .map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim())
        .join('|'),
    )
}

function between(name: string): string {
  const [, rest = ''] = page.split(`<!-- ${name} -->`)
  return rest.split(`<!-- end of ${name} -->`)[0] ?? ''
}

describe('the page about Celery and Lovage in one cluster', () => {
  it('names every test of the interop suite in its table, and no other (LOVAGE_UPDATE_DOCS=true writes it)', () => {
    expect(rows(between('table'))).toEqual(rows(interopTable(interopSuite)))
  })

  it('says where a cell does not hold, and why', () => {
    const said = between('limits')
      .split(/\n(?=- )/)
      .map((line) => line.trim().replaceAll(/\s+/g, ' '))
      .filter((line) => line !== '')

    expect(said).toEqual(interopLimits(interopSuite))
  })

  it('names tests of neighbours that exist', () => {
    const folder = join(projectRoot, 'test/interop')
    const sources = readdirSync(folder)
      .filter((name) => name.endsWith('-neighbours.test.ts'))
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .join('\n')
    const named = rows(between('neighbours'))
      .slice(1)
      .flatMap((row) => row.split('|').slice(2, -1))
      .filter((cell) => cell !== '')

    expect(named.length).toBeGreaterThan(4)
    for (const name of named) expect(sources).toContain(name)
  })

  it('has a test of each name once', () => {
    const titles = interopSuite.map(({ title }) => title)

    expect(new Set(titles).size).toBe(titles.length)
  })
})

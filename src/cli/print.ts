import { inspect } from 'node:util'

import { printable, printableLines } from '../util/printable.js'
import type { CommandOutput } from './io.js'

/** Print a value as a JSON document of one line; what JSON has no form for becomes text. */
export function printJson(output: CommandOutput, value: unknown): void {
  output.write(`${jsonText(value)}\n`)
}

/** A value as JSON; escapes keep what commands a terminal from reaching it. */
export function jsonText(value: unknown, indent?: number): string {
  return printableLines(JSON.stringify(value, jsonForm, indent))
}

/** Print a value for people: text on one line, everything else as Node shows it. */
export function printValue(output: CommandOutput, value: unknown, colors: boolean): void {
  output.write(`${shownValue(value, colors)}\n`)
}

/** A value as people read it. */
export function shownValue(value: unknown, colors = false): string {
  if (typeof value === 'string') return printable(value)
  const shown = inspect(value, { depth: 8, colors, breakLength: 100 })
  return colors ? shown : printableLines(shown)
}

/** Lines of cells, each column as wide as its widest cell; what the cells hold is escaped. */
export function table(cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map(printable))
  const widths: number[] = []
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length)
    })
  }
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
  return lines.map((line) => `${line.trimEnd()}\n`).join('')
}

function jsonForm(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Map) return Object.fromEntries(value)
  if (value instanceof Set) return [...value]
  return value
}

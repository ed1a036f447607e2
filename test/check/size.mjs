/**
 * The gates of size that a linter of one file cannot see: the median file and the casts per 1,000 lines.
 *
 * Prints the figures; exits with 1 when one is over its gate.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folders = ['src', 'brokers', 'backends']
const gates = { medianLines: 120, maxLines: 400, castsPerThousandLines: 3, anys: 0 }

const files = folders.flatMap((folder) => sources(join(root, folder))).map(measure)
const figures = total(files)
const problems = judge(files, figures)

for (const [name, value] of Object.entries(figures)) console.log(`${name.padEnd(24)}${value}`)
for (const problem of problems) console.error(problem)
process.exitCode = problems.length === 0 ? 0 : 1

function sources(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
}

function measure(file) {
  const text = readFileSync(file, 'utf8')
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const casts = []
  let anys = 0
  const visit = (node) => {
    if (isCast(node)) casts.push(source.getLineAndCharacterOfPosition(node.getStart()).line + 1)
    if (node.kind === ts.SyntaxKind.AnyKeyword) anys += 1
    ts.forEachChild(node, visit)
  }
  visit(source)
  return { name: relative(root, file), lines: linesOfCode(source), casts, anys }
}

/** `x as T`, `<T>x` and `x!`; `as const` narrows and does not count. */
function isCast(node) {
  if (ts.isAsExpression(node) || ts.isTypeAssertionExpression(node))
    return !ts.isConstTypeReference(node.type)
  return ts.isNonNullExpression(node)
}

/** Lines that hold a token: neither blank nor comment. */
function linesOfCode(source) {
  const lines = new Set()
  const visit = (node) => {
    if (node.getChildCount(source) === 0 && node.getWidth(source) > 0) {
      const first = source.getLineAndCharacterOfPosition(node.getStart(source)).line
      const last = source.getLineAndCharacterOfPosition(node.getEnd()).line
      for (let line = first; line <= last; line += 1) lines.add(line)
    }
    for (const child of node.getChildren(source)) if (!ts.isJSDoc(child)) visit(child)
  }
  visit(source)
  return lines.size
}

function total(measured) {
  const lines = measured.map((file) => file.lines).sort((one, other) => one - other)
  const sum = lines.reduce((left, right) => left + right, 0)
  const casts = measured.reduce((left, file) => left + file.casts.length, 0)
  return {
    files: measured.length,
    lines: sum,
    'median file': lines[Math.floor((lines.length - 1) / 2)] ?? 0,
    'longest file': lines.at(-1) ?? 0,
    casts,
    'casts per 1,000 lines': Number(((casts * 1000) / Math.max(sum, 1)).toFixed(2)),
    any: measured.reduce((left, file) => left + file.anys, 0),
  }
}

function judge(measured, figures) {
  const found = []
  if (figures['median file'] > gates.medianLines)
    found.push(`The median file is over ${gates.medianLines} lines.`)
  if (figures.any > gates.anys) {
    found.push(`"any" in ${measured.filter((file) => file.anys > 0).map((file) => file.name)}`)
  }
  for (const file of measured) {
    if (file.lines > gates.maxLines) found.push(`${file.name} has ${file.lines} lines of code.`)
  }
  if (figures['casts per 1,000 lines'] > gates.castsPerThousandLines) {
    const places = measured.flatMap((file) => file.casts.map((line) => `${file.name}:${line}`))
    found.push(`Over ${gates.castsPerThousandLines} casts per 1,000 lines: ${places.join(' ')}`)
  }
  return found
}

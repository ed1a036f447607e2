/**
 * Keeps the code of the pages equal to the examples it is taken from.
 *
 * A marker stands above a code block: `<!-- code: docs/example/results.ts#get -->`. The block is the named region of
 * the file (`// #region get` … `// #endregion`), all of that name one after the other, or the whole file where no region is named.
 * A block that no example can stand behind says why: `<!-- no example: the reason -->`.
 *
 * Without arguments it says what is stale or missing and exits with 1; `--write` brings the blocks up to date and puts
 * in those that are missing. A path checks the project in that folder instead of this one.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, extname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const words = process.argv.slice(2)
const isWriting = words.includes('--write')
const root = resolve(
  words.find((word) => !word.startsWith('-')) ?? fileURLToPath(new URL('../../', import.meta.url)),
)

/** A marker and, where it has one, the block below it. */
const marker = /<!-- code: ([^#\s]+)(?:#(\S+))? -->(\n{1,2}```\w*\n[\s\S]*?```)?/g
/** A block with the line above it. */
const block = /(?:^(.*)\n+)?^ *```(\w*)\n[\s\S]*?```/gm
const reason = /^ *<!-- no example: .+ -->$/
/** Blocks that show what a terminal shows. */
const shown = new Set(['console', 'mermaid', 'text'])
const advice = 'run node test/docs/include-code.mjs --write'

const problems = isWriting ? pages().flatMap(write) : [...pages().flatMap(check), ...unseen()]
for (const problem of problems) console.error(problem)
process.exitCode = problems.length === 0 ? 0 : 1

function pages() {
  return [join(root, 'README.md'), ...filesOf('docs', ['.md'])].filter((file) => existsSync(file))
}

function filesOf(folder, endings) {
  const path = join(root, folder)
  if (!existsSync(path)) return []
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && endings.includes(extname(entry.name)))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
}

function write(page) {
  const text = readFileSync(page, 'utf8')
  const fresh = refreshed(text)
  if (fresh !== text) writeFileSync(page, fresh)
  return []
}

function check(page) {
  const text = readFileSync(page, 'utf8')
  const name = relative(root, page)
  // The reference is generated from the sources, its blocks with it.
  const bare = name.startsWith('docs/reference/') ? [] : unmarked(text)
  const found = [...empty(text), ...stale(text), ...bare, ...deadLinks(text, page)]
  return found.map((problem) => `${name}: ${problem}`)
}

function empty(text) {
  const markers = [...text.matchAll(marker)].filter(([, , , code]) => code === undefined)
  return markers.map(([whole]) => `no code below ${whole}; ${advice}`)
}

function stale(text) {
  const changed = [...text.matchAll(marker)].filter(
    ([whole, , , code]) => code !== undefined && refreshed(whole) !== whole,
  )
  return changed.map(([, file, region]) => `code is stale: ${sourceName(file, region)}; ${advice}`)
}

function refreshed(text) {
  return text.replace(marker, (_whole, file, region) => {
    const code = regionOf(readFileSync(join(root, file), 'utf8'), region, file)
    return `<!-- code: ${sourceName(file, region)} -->\n\n\`\`\`${extname(file).slice(1)}\n${code}\`\`\``
  })
}

function sourceName(file, region) {
  return region === undefined ? file : `${file}#${region}`
}

/** The lines of the regions of a name, moved to the left margin, without the marks of other regions. */
function regionOf(source, region, file) {
  const lines = source.split('\n')
  const parts = region === undefined ? [lines] : regionsOf(lines, region)
  if (parts.length === 0) throw new Error(`${file} has no region "${region}"`)
  return `${parts.map(toMargin).join('\n\n')}\n`
}

function toMargin(lines) {
  const body = lines.filter((line) => !/^\s*\/\/ #(end)?region/.test(line))
  const margin = Math.min(...body.filter((line) => line.trim() !== '').map((line) => line.search(/\S/)))
  return body
    .map((line) => line.slice(margin))
    .join('\n')
    .trim()
}

function regionsOf(lines, region) {
  const starts = lines.flatMap((line, index) => (line.trim() === `// #region ${region}` ? [index] : []))
  return starts.map((start) => lines.slice(start + 1, endOf(lines, start)))
}

function endOf(lines, start) {
  let depth = 0
  for (let index = start; index < lines.length; index += 1) {
    if (/^\s*\/\/ #region/.test(lines[index])) depth += 1
    if (/^\s*\/\/ #endregion/.test(lines[index])) depth -= 1
    if (depth === 0) return index
  }
  throw new Error(`the region in line ${start + 1} has no end`)
}

/** A block of code that no example stands behind would rot unseen. */
function unmarked(text) {
  const blocks = [...text.replace(marker, '').matchAll(block)]
  const bare = blocks.filter(([, above = '', language]) => !shown.has(language) && !reason.test(above))
  return bare.map(([whole]) => `code without an example or a reason: ${whole.slice(whole.indexOf('```'))}`)
}

/** Regions of examples that no page shows. */
function unseen() {
  const markers = pages().flatMap((page) => [...readFileSync(page, 'utf8').matchAll(marker)])
  const seen = new Set(markers.map(([, file, region]) => sourceName(file, region)))
  return filesOf('docs/example', ['.ts', '.mts', '.js', '.mjs']).flatMap((path) => {
    const file = relative(root, path)
    const names = [...readFileSync(path, 'utf8').matchAll(/^\s*\/\/ #region (\S+)/gm)].map(([, name]) => name)
    const lost = [...new Set(names)].filter((name) => !seen.has(file) && !seen.has(sourceName(file, name)))
    return lost.map((name) => `${file}: no page shows the region "${name}"`)
  })
}

function deadLinks(text, page) {
  const prose = text.replace(/```[\s\S]*?```/g, '')
  const links = [...prose.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)].map(([, path]) => path)
  const dead = links.filter((path) => !existsSync(resolve(dirname(page), path)))
  return dead.map((path) => `link to nothing: ${path}`)
}

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { describe, expect, it } from '@jest/globals'

import { node, projectRoot } from '../support/child.js'
import { tempFolder } from '../support/temp.js'

const compiled = fileURLToPath(new URL('../../docs/example/', import.meta.url))

/** The demo has a test of its own; modules in folders belong to an example that is started differently. */
const elsewhere = ['demo.js']

const examples = readdirSync(compiled).filter((name) => name.endsWith('.js') && !elsewhere.includes(name))

/** What an example says it prints: the comments behind its `console.log` calls. */
function promised(name: string): readonly string[] {
  const source = readFileSync(join(projectRoot, 'docs/example', name.replace(/\.js$/, '.ts')), 'utf8')
  const comments = source.split('\n').map((line) => /console\.log\(.*\) \/\/ (.*)$/.exec(line)?.[1])
  return comments.filter((comment) => comment !== undefined)
}

describe('the examples of the pages', () => {
  it.each(examples)('%s prints what its comments say and ends by itself', async (name) => {
    await using folder = await tempFolder('example')
    await using example = node(join(compiled, name), [], { cwd: folder.path })

    const { code, stdout, stderr } = await example.exited

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.trimEnd().split('\n')).toEqual(promised(name))
  })
})

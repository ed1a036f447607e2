/** Java programs for tests: their jars, brought by Maven into a folder that git ignores. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './prepare.mjs'
import { findProgram } from './server-process.mjs'

const copyJars = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies'

/** The jars that `test/support/service/<name>/pom.xml` lists. */
export function mavenJars(name) {
  const folder = join(root, '.test-env', name)
  const jars = join(folder, 'lib')
  const stamp = join(folder, '.installed')
  const pom = join(root, 'test/support/service', name, 'pom.xml')
  // Other versions bring other jars.
  const fingerprint = () => createHash('sha256').update(readFileSync(pom)).digest('hex')
  return {
    classPath: join(jars, '*'),
    isInstalled: () => existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint(),
    install: () => {
      rmSync(folder, { recursive: true, force: true })
      mkdirSync(folder, { recursive: true })
      const args = ['-q', '-B', '-f', pom, copyJars, `-DoutputDirectory=${jars}`]
      const done = spawnSync(findProgram('mvn') ?? 'mvn', args, { cwd: folder, encoding: 'utf8' })
      if (done.status !== 0)
        throw new Error(`mvn failed:\n${done.stdout}${done.stderr}${done.error?.message ?? ''}`)
      writeFileSync(stamp, fingerprint())
    },
  }
}

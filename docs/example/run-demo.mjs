/** `npm run demo`: installs and builds where needed, then runs the demo. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { prepare, root } from '../../test/support/prepare.mjs'

prepare()

const demo = spawn(process.execPath, [join(root, 'dist/docs/example/demo.js'), ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => demo.kill(signal))
demo.once('exit', (code) => {
  process.exitCode = code ?? 1
})

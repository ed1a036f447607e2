/** Jest runs what `tsc` built, as ES modules and untransformed: what is tested is what ships. */

// Jest starts its test processes after it has read this file, so that `npx jest unit/worker` works without a flag.
const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning']
const given = process.env.NODE_OPTIONS?.split(' ') ?? []
process.env.NODE_OPTIONS = [...new Set([...given, ...flags])].join(' ').trim()

export default {
  roots: ['<rootDir>/dist/test'],
  testMatch: ['<rootDir>/dist/test/**/*.test.js'],
  transform: {},
  testEnvironment: 'node',
  setupFiles: ['<rootDir>/test/support/async-storages.mjs'],
  // A test that waits on another process says so with its own timeout; this one is for the rest.
  testTimeout: 15_000,
  errorOnDeprecated: true,
  // Every file imports all modules again, and Node does not free them: a process is replaced before its heap is full.
  // With a limit, Jest also never runs a test in its own process, which lacks the flags above.
  workerIdleMemoryLimit: '1500MB',
}

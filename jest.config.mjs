/** Jest runs what `tsc` built, as ES modules and untransformed: what is tested is what ships. */
export default {
  roots: ['<rootDir>/dist/test'],
  testMatch: ['<rootDir>/dist/test/**/*.test.js'],
  transform: {},
  testEnvironment: 'node',
  // A test that waits on another process says so with its own timeout; this one is for the rest.
  testTimeout: 15_000,
  errorOnDeprecated: true,
  // Every file imports all modules again, and Node does not free them: a process is replaced before its heap is full.
  workerIdleMemoryLimit: '1500MB',
}

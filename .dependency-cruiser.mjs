/** Who may import whom: a layer may import itself and the layers before it in this list. */
const layers = [
  'src/(errors|util)',
  'src/(message|config|schedule)',
  'src/broker',
  'src/backend',
  'src/(task|result|canvas|events|control)',
  'src/beat',
  'src/app',
  'src/worker',
  'src/(cli|testing|dashboard)',
]

const noUpwardImport = layers.slice(0, -1).map((layer, index) => ({
  name: `no-upward-import-from-${layer}`,
  severity: 'error',
  from: { path: `^${layer}/` },
  to: { path: `^(${layers.slice(index + 1).join('|')})/` },
}))

/** The files of `src/` where the core and the driver tables meet: the entries of processes and threads. */
const compositionRoots = '^src/(built-in-drivers|cli/bin|worker/.+-entry)[.]ts$'

export default {
  forbidden: [
    ...noUpwardImport,
    {
      name: 'no-circular',
      comment: 'Type-only circles count: they mean two modules share one idea.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'core-names-no-driver',
      severity: 'error',
      from: { path: '^src/', pathNot: compositionRoots },
      to: { path: '^(brokers|backends)/' },
    },
    {
      name: 'entries-import-the-core-not-the-reverse',
      severity: 'error',
      from: { path: '^(src|brokers|backends)/', pathNot: '^src/(cli|testing)/' },
      to: { path: '^src/(index|driver)\\.ts$' },
    },
    {
      name: 'one-value-is-read-by-the-option-table',
      comment: 'What tasks and the app need of a setting stands in src/config.',
      severity: 'error',
      from: { path: '^src/(task|app)/' },
      to: { path: '^src/config/value/' },
    },
    {
      name: 'drivers-see-contracts-only',
      severity: 'error',
      from: { path: '^(brokers|backends)/' },
      to: { path: '^src/', pathNot: '^src/(errors|util|message|broker|backend)/' },
    },
    {
      name: 'drivers-are-strangers',
      comment: 'The two halves of one store, brokers/<x> and backends/<x>, share their code.',
      severity: 'error',
      from: { path: '^(?:brokers|backends)/([^/]+)/' },
      to: { path: '^(brokers|backends)/[^/]+/', pathNot: '^(brokers|backends)/$1/' },
    },
    {
      name: 'driver-tables-load-lazily',
      severity: 'error',
      from: { path: '^(brokers|backends)/index\\.ts$' },
      to: { path: '^(brokers|backends)/[^/]+/', dependencyTypesNot: ['dynamic-import'] },
    },
    {
      name: 'peers-only-in-drivers',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: 'node_modules/(amqplib|ioredis|mongodb|knex|libsql|better-sqlite3|@aws-sdk)/' },
    },
    {
      name: 'no-test-code-in-production',
      severity: 'error',
      from: { path: '^(src|brokers|backends)/' },
      to: { path: '^(test|bench)/|node_modules/(@jest|jest)/' },
    },
    {
      name: 'published-suites-stand-alone',
      comment: 'test/conformance ships as lovage/conformance; nothing else of test/ does.',
      severity: 'error',
      from: { path: '^test/conformance/', pathNot: '\\.test\\.ts$' },
      to: { path: '^(test|bench)/', pathNot: '^test/conformance/(?!.*\\.test\\.ts$)' },
    },
    {
      name: 'no-unresolved-import',
      severity: 'error',
      from: { path: '^(src|brokers|backends|test|bench)/' },
      to: { couldNotResolve: true, pathNot: '^(better-sqlite3|lovage)($|/)' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: ['node_modules', '^dist/'] },
    exclude: { path: '^dist/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
    },
  },
}

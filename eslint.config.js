import js from '@eslint/js'
import tsdoc from 'eslint-plugin-tsdoc'
import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'
import { documentedExports } from './test/check/documented-exports.mjs'

const typescript = ['**/*.ts', '**/*.mts']
const shipped = ['src/**/*.ts', 'brokers/**/*.ts', 'backends/**/*.ts']

const nodeGlobals = Object.fromEntries(
  ['process', 'console', 'performance', 'URL', 'setTimeout', 'clearTimeout', 'AbortController', 'fetch'].map(
    (name) => [name, 'readonly'],
  ),
)

const NO_SLEEP =
  'A unit test does not wait for time: use a manual clock, `eventually`, turns of the event loop, or a count.'

export default defineConfig(
  { ignores: ['dist', 'coverage', '.test-env', '.lovage', 'test/package/project'] },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: typescript,
    languageOptions: { parserOptions: { projectService: true } },
    plugins: { tsdoc, lovage: { rules: { 'documented-exports': documentedExports } } },
    rules: {
      // A file and a function fit in the reader's head.
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/max-params': ['error', { max: 4 }],
      'max-depth': ['error', 3],
      complexity: ['error', 12],

      // No promise is dropped, and none leaves a try block unwatched.
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/return-await': ['error', 'in-try-catch'],

      // Errors are Error objects and keep their cause. Unions are closed.
      '@typescript-eslint/only-throw-error': [
        'error',
        // A task steers its own message by throwing one of these.
        { allow: [{ from: 'file', name: ['Directive', 'Retry', 'Ignore', 'Reject'] }] },
      ],
      'preserve-caught-error': 'error',
      // A `default` answers for the rest of an open union, as `typeof` gives; without one every member is listed.
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      // The reason of an aborted signal is passed on as it is.
      '@typescript-eslint/prefer-promise-reject-errors': [
        'error',
        { allowThrowingAny: true, allowThrowingUnknown: true },
      ],

      // The public face.
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-duplicate-imports': ['error', { allowSeparateTypeImports: true }],
      'no-restricted-syntax': ['error', { selector: 'ExportDefaultDeclaration', message: 'Export by name.' }],
      'tsdoc/syntax': 'error',

      // Milliseconds and counts are read well in a message.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // `() => void call()` and early `return call()` of nothing read well enough in callbacks.
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // A loop that ends by `return` says so with `while (true)`.
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      // Off: under `isolatedDeclarations` a field is typed by its annotation.
      '@typescript-eslint/consistent-generic-constructors': 'off',
      // Off: a deferred of nothing is `deferred<void>()`.
      '@typescript-eslint/no-invalid-void-type': 'off',
      // A base class may be a mark and nothing else.
      '@typescript-eslint/no-extraneous-class': ['error', { allowEmpty: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],

      // Off: a method may honour an asynchronous contract with nothing to await, or nothing to do.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-empty-function': [
        'error',
        { allow: ['asyncMethods', 'arrowFunctions', 'methods'] },
      ],
    },
  },
  {
    files: [...shipped, 'test/conformance/**/*.ts', 'test/support/**/*.ts'],
    rules: { 'lovage/documented-exports': 'error' },
  },
  {
    files: shipped,
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Export by name.' },
        {
          selector: ':matches(NewExpression, CallExpression)[callee.name="Error"]',
          message: 'Throw a class of src/errors/errors.ts: a caller branches on it.',
        },
        {
          selector: 'CallExpression[callee.property.name=/^(push|unshift|splice|min|max)$/] > SpreadElement',
          message: 'A spread of a long list overflows the stack: use src/util/long-list.ts.',
        },
      ],
    },
  },
  {
    files: shipped,
    ignores: ['src/config/**', 'src/cli/**'],
    rules: {
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Read the environment in src/config.' },
      ],
    },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts', 'docs/example/**/*.ts'],
    rules: {
      // Off: a describe block is as long as its tests.
      'max-lines-per-function': 'off',
      'max-lines': ['error', { max: 600, skipBlankLines: true, skipComments: true }],
      // Off: a test says what it expects of a member without binding it, and builds odd values on purpose.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-misused-spread': 'off',
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/max-params': 'off',
      // Off: Jest's matchers are of type `any`.
      '@typescript-eslint/no-unsafe-assignment': 'off',
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { name: '@jest/globals', importNames: ['test'], message: 'A test is written with `it`.' },
      ],
    },
  },
  {
    files: ['test/unit/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [
            { name: '@jest/globals', importNames: ['test'], message: 'A test is written with `it`.' },
            { name: 'node:timers/promises', importNames: ['setTimeout'], message: NO_SLEEP },
          ],
          patterns: [
            { group: ['**/conformance/time.js'], importNames: ['passTime', 'timed'], message: NO_SLEEP },
          ],
        },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Export by name.' },
        { selector: 'CallExpression[callee.name="setTimeout"]', message: NO_SLEEP },
        { selector: 'MemberExpression[object.name="performance"][property.name="now"]', message: NO_SLEEP },
      ],
    },
  },
  {
    files: ['docs/example/**/lovage.config.ts'],
    // Off: a settings module is its default export.
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['docs/example/test-runner/**'],
    languageOptions: {
      globals: { describe: 'readonly', it: 'readonly', before: 'readonly', after: 'readonly' },
    },
    // Off: Node's runner waits for its tests by itself.
    rules: { '@typescript-eslint/no-floating-promises': 'off' },
  },
  {
    files: ['test/types/**/*.ts'],
    rules: {
      // Off: these files are compiled, never run.
      '@typescript-eslint/no-unused-vars': 'off',
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      '@typescript-eslint/no-floating-promises': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs', '**/*.cjs'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: nodeGlobals },
    rules: { '@typescript-eslint/explicit-module-boundary-types': 'off' },
  },
)

import { expect, it } from '@jest/globals'

import { Lovage } from '../../../../src/app/app.js'
import { chooseApp } from '../../../../src/cli/loader/choose-app.js'

const one = new Lovage('one')
const two = new Lovage('two')

it.each([
  [{ app: one, other: two }, undefined, one],
  [{ shop: two, add: () => 1 }, undefined, two],
  [{ a: one, b: one }, undefined, one],
  [{ default: { app: two }, one }, undefined, two],
  [{ default: one }, undefined, one],
  [{ a: one, b: two }, 'b', two],
  [{ apps: { two } }, 'apps.two', two],
])('case %#: finds the app', (exported, name, app) => {
  expect(chooseApp(exported, name, './tasks.ts')).toBe(app)
})

it.each([
  [{ a: one, b: two }, undefined, './tasks.ts exports several apps: a, b; name one, as in -A ./tasks.ts:a'],
  [{ add: 1 }, undefined, './tasks.ts exports no Lovage app; export it as `app`'],
  [{ orders: one }, 'order', 'has no export "order"; did you mean ./tasks.ts:orders?'],
  [{ add: 1, orders: one }, 'add', 'has no Lovage app in its export "add"'],
  [{ app: { sendTask: 1, conf: {} } }, undefined, '("app" is one of another copy of lovage'],
  [undefined, undefined, 'exports no Lovage app'],
])('case %#: says what is wrong', (exported, name, message) => {
  expect(() => chooseApp(exported, name, './tasks.ts')).toThrow(message)
})

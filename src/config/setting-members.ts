import { ConfigError } from '../errors/errors.js'
import type { ConfigInput } from './config.js'

/** The options as members in camelCase, with types; the other spellings and the host's own keys by name. */
export type SettingMembers = { -readonly [Name in keyof ConfigInput]: ConfigInput[Name] } & Record<
  string,
  unknown
>

/** What a class has to offer for its settings to be members. */
interface MemberStore {
  get(name: string): unknown
  has(name: string): boolean
  set(name: string, value: unknown): void
}

/** Members that the class does not have go to its `get`, `has` and `set`. */
const HANDLER: ProxyHandler<object> = {
  get(target, key, receiver): unknown {
    if (key in target || typeof key !== 'string' || !isStore(target))
      return Reflect.get(target, key, receiver)
    return isStore(receiver) ? receiver.get(key) : undefined
  },
  has(target, key): boolean {
    return key in target
  },
  set(target, key, value: unknown, receiver): boolean {
    if (typeof key !== 'string' || key in target) throw new ConfigError(`"${String(key)}" cannot be set`)
    if (isStore(receiver)) receiver.set(key, value)
    return true
  },
}

function isStore(value: unknown): value is MemberStore {
  return typeof value === 'object' && value !== null && 'get' in value && 'has' in value && 'set' in value
}

/** An object whose unknown members are settings: the constructor hands the proxy out, and private fields go to it. */
// eslint-disable-next-line @typescript-eslint/no-extraneous-class -- what is given out is the proxy
class MemberProxy {
  constructor() {
    return new Proxy(this, HANDLER)
  }
}

function hasSettings(base: unknown): base is new () => SettingMembers {
  return base === MemberProxy
}

function memberBase(base: unknown): new () => SettingMembers {
  if (hasSettings(base)) return base
  throw new ConfigError('the settings have no members')
}

/** Base of a class whose options are members; the class has `get`, `has` and `set`. */
export const SettingMembers: new () => SettingMembers = memberBase(MemberProxy)

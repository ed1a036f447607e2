/** An object type whose members may be assigned: for what is built step by step and read-only afterwards. */
export type Writable<Type> = { -readonly [Key in keyof Type]: Type[Key] }

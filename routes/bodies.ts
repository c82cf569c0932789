type Camel<S extends string> = S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S

type Camelized<T> = { [K in keyof T as K extends string ? Camel<K> : never]: T[K] }

/** A body in the domain's names: `first_name` is `firstName` there. */
export const toDomain = <T extends object>(body: T): Camelized<T> =>
  Object.fromEntries(Object.entries(body).map(([name, value]) => [camel(name), value])) as Camelized<T>

const camel = (name: string) => name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase())

/** How one wire lists models. */
export interface Dialect {
  list(names: readonly string[], now: Date): object
  one(name: string, now: Date): object
}

export const openaiModels: Dialect = {
  list: (names, now) => ({ object: 'list', data: names.map((name) => openaiModels.one(name, now)) }),
  one: (name, now) => ({ id: name, object: 'model', created: Math.floor(now.getTime() / 1000), owned_by: name.includes('/') ? name.slice(0, name.indexOf('/')) : 'castellan' }),
}

/** All of them are one page. */
export const anthropicModels: Dialect = {
  list: (names, now) => ({ data: names.map((name) => anthropicModels.one(name, now)), has_more: false, first_id: names[0] ?? null, last_id: names.at(-1) ?? null }),
  one: (name, now) => ({ type: 'model', id: name, display_name: name, created_at: now.toISOString() }),
}

export const geminiModels: Dialect = {
  list: (names, now) => ({ models: names.map((name) => geminiModels.one(name, now)) }),
  one: (name) => ({ name: `models/${name}`, version: 'castellan', displayName: name, supportedGenerationMethods: ['generateContent', 'streamGenerateContent'] }),
}

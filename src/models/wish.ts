/** Task type → models in order; the house's `models.routes`. */
export type Routes = Readonly<Record<string, readonly { readonly upstream: string; readonly model: string }[]>>

/** What a request asks for, before anybody looks whether it may have it. */
export type Wish = { readonly task: string } & (
  | { readonly kind: 'named'; readonly entries: readonly { readonly upstream: string; readonly model: string }[] }
  /** A model by its name alone, wherever it is. */
  | { readonly kind: 'anywhere'; readonly model: string }
  | { readonly kind: 'unknown'; readonly reason: string }
)

interface WishRequest {
  readonly model: string
  readonly task?: string | undefined
  readonly upstreams: readonly { readonly name: string }[]
  readonly routes: Routes
}

const defaultTask = 'chat'

/** Reads `auto`, `task:summarize`, `upstream/model` or `model`. A model's own name may have a slash too (`hf.co/…`), so only a declared upstream counts. */
export function wishOf({ model, task, upstreams, routes }: WishRequest): Wish {
  const label = task ?? defaultTask
  if (model.startsWith('task:')) {
    const name = model.slice('task:'.length)
    const entries = Object.hasOwn(routes, name) ? routes[name] : undefined
    if (entries) return { task: name, kind: 'named', entries }
    return { task: name, kind: 'unknown', reason: `no route is declared for task ${name}; routes: ${Object.keys(routes).join(', ') || 'none'}` }
  }
  if (model === 'auto') {
    const entries = [label, 'default'].filter((name) => Object.hasOwn(routes, name)).map((name) => routes[name])[0]
    return { task: label, kind: 'named', entries: entries ?? upstreams.map(({ name }) => ({ upstream: name, model: 'auto' })) }
  }
  const upstream = upstreams.find(({ name }) => model.startsWith(`${name}/`))
  if (upstream) return { task: label, kind: 'named', entries: [{ upstream: upstream.name, model: model.slice(upstream.name.length + 1) }] }
  return { task: label, kind: 'anywhere', model }
}

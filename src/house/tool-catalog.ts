/** What the house must know of the tools in order to check jobs and agents; told from outside. */
export type ToolCatalog = ReadonlyMap<string, { readonly effect: 'read' | 'write' | 'propose'; readonly fallback?: 'extractive' }>

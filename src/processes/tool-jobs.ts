import { createHash } from 'node:crypto'
import type { JobDefinition, ToolCatalog } from '../house/index.ts'
import type { AnyTool } from '../tools/index.ts'

/** What house validation must know of the tools. */
export function toolCatalog(tools: readonly AnyTool[]): ToolCatalog {
  return new Map(tools.map((tool) => [tool.name, { effect: tool.effect, ...(tool.fallback && { fallback: tool.fallback }) }]))
}

/** One job for each tool, run by hand only: `castellan tool run NAME` is a run in the ledger like any other. */
export function toolJobs(tools: readonly AnyTool[]): JobDefinition[] {
  return tools.map((tool) => {
    const definition = {
      name: `tool.${tool.name}`,
      summary: tool.summary,
      schedules: [],
      lane: 'private',
      label: { level: 1, integrity: 'trusted', lanes: [] },
      readsUpTo: 3,
      timeoutMs: 600_000,
      tries: 1,
      overlap: 'allow',
      missed: 'skip',
      graceMs: 60_000,
      steps: [{ id: 'call', uses: tool.name, with: '{{ input }}', timeoutMs: 600_000 }],
      prompts: {},
    } as const
    return { ...definition, digest: createHash('sha256').update(JSON.stringify(definition)).digest('hex') } as unknown as JobDefinition
  })
}

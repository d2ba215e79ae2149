import { z } from 'zod'
import { Fault } from '../kernel/fault.ts'
import type { AnyTool } from './define-tool.ts'
import type { Effect, Fallback } from './effect.ts'

/** What a caller is told of a tool; input and output are JSON Schemas (draft 2020-12). */
export interface ToolDescription {
  readonly name: string
  readonly summary: string
  readonly effect: Effect
  readonly fallback: Fallback | null
  readonly input: Record<string, unknown>
  readonly output: Record<string, unknown>
}

export interface Registry {
  /** Throws a Fault `missing` that names the nearest tools of the family. */
  get(name: string): AnyTool
  has(name: string): boolean
  list(): readonly AnyTool[]
  describe(name: string): ToolDescription
}

/** The tools by their names, which must be unique. */
export function createRegistry(tools: readonly AnyTool[]): Registry {
  const byName = new Map<string, AnyTool>()
  for (const tool of tools) {
    if (byName.has(tool.name)) throw new Fault('internal', 'tool.duplicate', `two tools are named ${tool.name}`)
    byName.set(tool.name, tool)
  }
  const sorted = [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1))

  function get(name: string): AnyTool {
    const tool = byName.get(name)
    if (tool) return tool
    const family = name.split('.')[0]
    const near = sorted.filter((known) => known.name.startsWith(`${family}.`))
    const known = (near.length > 0 ? near : sorted).map((one) => one.name)
    throw new Fault('missing', 'tool.missing', `there is no tool ${name}; there are: ${known.join(', ')}`, { name, known })
  }

  return {
    get,
    has: (name) => byName.has(name),
    list: () => sorted,
    describe: (name) => describeTool(get(name)),
  }
}

function describeTool(tool: AnyTool): ToolDescription {
  return {
    name: tool.name,
    summary: tool.summary,
    effect: tool.effect,
    fallback: tool.fallback ?? null,
    input: z.toJSONSchema(tool.input, { io: 'input' }),
    output: z.toJSONSchema(tool.output),
  }
}

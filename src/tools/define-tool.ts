import type { ZodType } from 'zod'
import { Fault } from '../kernel/fault.ts'
import type { Effect, Fallback } from './effect.ts'
import type { ToolContext } from './tool-context.ts'

/** One ability, written once: a job step, an agent's tool, an MCP tool and a CLI command without another line. */
export interface Tool<I, O> {
  readonly name: string
  readonly summary: string
  readonly effect: Effect
  readonly input: ZodType<I>
  readonly output: ZodType<O>
  readonly fallback?: Fallback
  /** What it returns is a stranger's word even when its input was not, e.g. a model's answer. */
  readonly label?: 'untrusted'
  run(context: ToolContext, input: I): Promise<O>
}

// oxlint-disable-next-line typescript/no-explicit-any -- a list of tools holds many input types; callTool checks each by its schema
export type AnyTool = Tool<any, any>

const namePattern = /^[a-z][a-z0-9]*\.[a-z][a-z0-9_]*$/

/** Checks a definition once, where it is written. */
export function defineTool<I, O>(tool: Tool<I, O>): Tool<I, O> {
  if (!namePattern.test(tool.name)) {
    throw new Fault('internal', 'tool.name', `the tool name ${tool.name} is not of the form family.verb, e.g. mail.search`)
  }
  return Object.freeze(tool)
}

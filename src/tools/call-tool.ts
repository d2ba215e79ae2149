import type { ZodError } from 'zod'
import { Fault, toFault } from '../kernel/fault.ts'
import type { Label } from '../labels/index.ts'
import type { AnyTool } from './define-tool.ts'
import { describeIssues } from './describe-issues.ts'
import { Park } from './park.ts'
import { storable } from './storable.ts'
import type { ToolContext } from './tool-context.ts'

export interface ToolResult {
  readonly output: unknown
  /** The label of the run joined with all that the tool read. */
  readonly label: Label
  readonly madeWithoutModel: boolean
}

/** More than this is a file, not the output of a step. Characters of JSON. */
const outputLimit = 8_000_000

/**
 * Runs one tool: checks what goes in and what comes out, ends it with the context's signal, and says what label the result has.
 * Whatever it throws, a `Fault` or a `Park`, carries the label too: a message may tell of what was read.
 */
export async function callTool(tool: AnyTool, context: ToolContext, input: unknown): Promise<ToolResult> {
  try {
    const parsed = tool.input.safeParse(input ?? {})
    if (!parsed.success) throw badInput(tool.name, parsed.error, input)
    context.signal.throwIfAborted()
    const returned = await withSignal(context.signal, () => tool.run(context, parsed.data))
    const checked = tool.output.safeParse(storable(returned))
    if (!checked.success) {
      throw new Fault('internal', 'tool.output', `${tool.name} returned something else than it declares: ${describeIssues(checked.error, returned)}`)
    }
    if (JSON.stringify(checked.data).length > outputLimit) {
      throw new Fault('invalid', 'tool.output_size', `${tool.name} returned more than ${outputLimit} characters; ask for less, e.g. with a smaller limit`)
    }
    if (tool.label === 'untrusted') context.raise({ level: 0, integrity: 'untrusted', lanes: [] })
    return { output: checked.data, label: context.label(), madeWithoutModel: context.wasMadeWithoutModel() }
  } catch (error) {
    if (error instanceof Park) throw new Park(error.reason, context.label())
    throw Object.assign(asFault(tool.name, error, context.signal), { label: context.label() })
  }
}

function badInput(name: string, error: ZodError, input: unknown): Fault {
  const problems = describeIssues(error, input)
  return new Fault('invalid', 'tool.input', `the input of ${name} is wrong: ${problems}`, { tool: name })
}

/** Leaves a tool that does not listen to the signal behind: its late writes are refused by the fence. */
async function withSignal<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  let onAbort: (() => void) | undefined
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([work(), aborted])
  } finally {
    signal.removeEventListener('abort', onAbort!)
  }
}

function asFault(name: string, error: unknown, signal: AbortSignal): Fault {
  if (error instanceof Fault) return error
  if (!signal.aborted) return toFault(error)
  if ((signal.reason as { name?: string } | undefined)?.name === 'TimeoutError') {
    return new Fault('timeout', 'tool.timeout', `${name} took longer than its step allows; raise the step's timeout or ask for less`, {}, error)
  }
  return new Fault('unavailable', 'tool.aborted', `${name} was ended before it was done, because its run was`, {}, error)
}

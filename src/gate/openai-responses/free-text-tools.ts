import type { FunctionTool } from '../../models/index.ts'
import { wrong, type Fields } from '../check.ts'

/**
 * OpenAI's `custom` tools, which the client runs and which take free text. Other wires have none, so there such a tool is a function with
 * one argument, `input`, and its grammar is told to the model in words.
 */
export function readFreeTextTool(tool: Fields): FunctionTool {
  const name = tool.text('name')
  if (!name) throw wrong(`${tool.path}.name`, 'the name of the tool')
  const format = tool.object('format')
  const grammar = format?.oneOf('type', ['text', 'grammar']) === 'grammar' ? format.text('definition') : undefined
  return {
    name,
    description: [tool.text('description'), grammar && `The input must follow this grammar (${format?.text('syntax') ?? 'lark'}):\n${grammar}`].filter(Boolean).join('\n\n'),
    parameters: { type: 'object', properties: { input: { type: 'string', description: 'The whole input, as it stands, without any wrapping.' } }, required: ['input'], additionalProperties: false },
  }
}

/** What a client sends back of such a call. */
export function argumentsOf(input: string): string {
  return JSON.stringify({ input })
}

/** What a model wrote for such a call; all of it, when it did not keep to the one argument. */
export function inputOf(written: string): string {
  try {
    const { input } = JSON.parse(written) as { input?: unknown }
    return typeof input === 'string' ? input : written
  } catch {
    return written
  }
}

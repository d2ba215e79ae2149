import { randomUUID } from 'node:crypto'
import { Fault } from '../kernel/fault.ts'
import type { ChatChunk, FinishReason } from './chat.ts'
import { checkChunks } from './check-chunks.ts'
import { geminiFault } from './gemini-error.ts'
import { tokens } from './openai-events.ts'
import type { EventReader } from './pass.ts'
import { parseJson } from './transport.ts'

interface Part {
  readonly text?: string
  readonly thought?: boolean
  readonly functionCall?: { readonly id?: string; readonly name?: string; readonly args?: unknown }
}

interface Usage {
  readonly promptTokenCount?: number
  readonly cachedContentTokenCount?: number
  readonly candidatesTokenCount?: number
  readonly thoughtsTokenCount?: number
  readonly toolUsePromptTokenCount?: number
}

interface Event {
  readonly candidates?: readonly { readonly content?: { readonly parts?: readonly Part[] }; readonly finishReason?: string }[]
  readonly promptFeedback?: { readonly blockReason?: string }
  readonly usageMetadata?: Usage
}

/** The model stumbled over its own answer. Told to others than Gemini's clients it would be an answer that says nothing. */
const stumbled: ReadonlySet<string> = new Set(['MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL', 'MALFORMED_RESPONSE', 'TOO_MANY_TOOL_CALLS', 'MISSING_THOUGHT_SIGNATURE'])
const unfiltered: ReadonlySet<string> = new Set(['STOP', 'OTHER', 'LANGUAGE', 'NO_IMAGE', 'IMAGE_OTHER', 'FINISH_REASON_UNSPECIFIED', ...stumbled])

/** Understands the events of generateContent; a whole answer has the shape of one of them. `isPassed`: a client of the same wire is shown the events themselves. */
export function geminiEvents(upstream: string, { isPassed = false } = {}): EventReader {
  let calls = 0
  let finish: string | undefined
  let usage: Usage | undefined
  let besides = ''

  function* understand({ candidates, promptFeedback, usageMetadata }: Event): Generator<ChatChunk> {
    const candidate = candidates?.[0]
    for (const { text, thought, functionCall } of candidate?.content?.parts ?? []) {
      if (functionCall) {
        yield { kind: 'tool_call', index: calls, id: functionCall.id || `call_${randomUUID()}`, name: functionCall.name ?? '', arguments: JSON.stringify(functionCall.args ?? {}) }
        calls += 1
      } else if (text) yield { kind: thought === true ? 'thinking' : 'text', text }
    }
    // of a prompt that was refused there is no candidate
    finish = candidate?.finishReason ?? (promptFeedback?.blockReason ? 'PROHIBITED_CONTENT' : finish)
    // counted from the beginning in each event
    usage = usageMetadata ?? usage
  }

  return {
    read(data) {
      const event = parseJson(upstream, data) as Event | null
      const fault = geminiFault(upstream, event)
      if (fault) throw fault
      return { chunks: checkChunks(upstream, () => understand(event ?? {})) }
    },
    // what fails in the middle is told as JSON over several lines, outside of any event
    beside(text) {
      if (besides === '' && !text.trimStart().startsWith('{')) return
      besides += `${text}\n`
      const fault = text.trimEnd().endsWith('}') && besides.length < longestError ? geminiFault(upstream, jsonOf(besides)) : undefined
      if (fault) throw fault
    },
    isOver: () => false,
    end() {
      if (finish === undefined) throw new Fault('unavailable', 'upstream.died', `upstream ${upstream} ended its answer before it was done`, { upstream })
      if (!isPassed && stumbled.has(finish)) throw new Fault('unavailable', 'upstream.failed', `upstream ${upstream} could not finish its answer (${finish})`, { upstream })
      return [{ kind: 'finish', reason: reasonOf(finish, calls > 0) }, ...(usage ? [usageOf(usage)] : [])]
    },
  }
}

const longestError = 64 * 1024

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** There is no reason for calls of tools, and several for what was held back. */
function reasonOf(finish: string, calledTools: boolean): FinishReason {
  if (finish === 'MAX_TOKENS') return 'length'
  if (!unfiltered.has(finish)) return 'content_filter'
  return calledTools ? 'tool_calls' : 'stop'
}

function usageOf({ promptTokenCount, toolUsePromptTokenCount, candidatesTokenCount, thoughtsTokenCount, cachedContentTokenCount }: Usage): ChatChunk {
  const [cachedTokens, reasoningTokens] = [tokens(cachedContentTokenCount), tokens(thoughtsTokenCount)]
  return {
    kind: 'usage',
    inputTokens: tokens(tokens(promptTokenCount) + tokens(toolUsePromptTokenCount)),
    outputTokens: tokens(tokens(candidatesTokenCount) + reasoningTokens),
    ...(cachedTokens > 0 && { cachedTokens }),
    ...(reasoningTokens > 0 && { reasoningTokens }),
  }
}

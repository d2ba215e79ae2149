import { newId } from '../../kernel/ids.ts'
import type { ChatChunk, FinishReason } from '../../models/index.ts'
import type { Named, StreamWriter, Wire } from '../wire.ts'
import { geminiError } from './gemini-error.ts'

/** How a stream is written: as server-sent events, or as one list of JSON that goes on for as long as the answer does. */
export type StreamForm = 'events' | 'list'

/** Gemini's generateContent. */
export function geminiContent({ includeThoughts }: { readonly includeThoughts: boolean }, form: StreamForm = 'events'): Wire {
  return {
    contentType: form === 'events' ? 'text/event-stream' : 'application/json; charset=utf-8',
    whole: async (answer) => {
      const response = createResponse(answer, includeThoughts)
      const parts: object[] = []
      for await (const chunk of answer.chunks) parts.push(...response.take(chunk))
      return response.last(joinTexts(parts))
    },
    stream: (answer) => (form === 'events' ? eventWriter(answer, includeThoughts) : listWriter(answer, includeThoughts)),
    error: geminiError,
  }
}

function eventWriter(answer: Named, includeThoughts: boolean): StreamWriter {
  const response = createResponse(answer, includeThoughts)
  const event = (body: object) => `data: ${JSON.stringify(body)}\r\n\r\n`
  return {
    begin: () => '',
    chunk: (chunk) => response.take(chunk).map((part) => event(response.some([part]))).join(''),
    end: () => event(response.last()),
    broken: (error) => event(geminiError(error).body),
  }
}

/** An upstream is always asked for events, whose data are the elements of the list. */
function listWriter(answer: Named, includeThoughts: boolean): StreamWriter {
  const response = createResponse(answer, includeThoughts)
  let isBegun = false
  const element = (json: string) => {
    const before = isBegun ? ',\r\n' : '['
    isBegun = true
    return before + json
  }
  return {
    begin: () => '',
    chunk: (chunk) => response.take(chunk).map((part) => element(JSON.stringify(response.some([part])))).join(''),
    native: {
      bytes: (bytes) => Buffer.from(bytes).toString('utf8').split('\n').flatMap((line) => (line.startsWith('data:') ? [element(line.slice('data:'.length).trim())] : [])).join(''),
      end: () => ']\r\n',
    },
    end: () => `${element(JSON.stringify(response.last()))}]\r\n`,
    broken: (error) => `${element(JSON.stringify(geminiError(error).body))}]\r\n`,
  }
}

interface Call {
  readonly id: string
  readonly name: string
  readonly arguments: string
}

const finishReasons: Readonly<Record<FinishReason, string>> = { stop: 'STOP', tool_calls: 'STOP', length: 'MAX_TOKENS', content_filter: 'SAFETY' }

/** What is said goes out as it comes; calls of tools, which are whole there, wait for the last piece, as reason and usage do. */
function createResponse({ upstream, model }: Named, includeThoughts: boolean) {
  const responseId = newId()
  const calls = new Map<number, Call>()
  let [finish, usage]: [FinishReason, object | undefined] = ['stop', undefined]
  const some = (parts: readonly object[], more: object = {}) => ({
    candidates: [{ content: { parts, role: 'model' }, ...more, index: 0 }], ...(usage && { usageMetadata: usage }), modelVersion: `${upstream}/${model}`, responseId,
  })
  return {
    some,
    /** The parts that can be shown now. */
    take(chunk: ChatChunk): object[] {
      // a signature of another provider would be taken for one of Google's
      if (chunk.kind === 'text') return [{ text: chunk.text }]
      if (chunk.kind === 'thinking') return includeThoughts && chunk.text !== '' ? [{ text: chunk.text, thought: true }] : []
      if (chunk.kind === 'finish') finish = chunk.reason
      else if (chunk.kind === 'usage') usage = usageOf(chunk)
      else if (chunk.kind === 'tool_call') {
        const known = calls.get(chunk.index) ?? { id: chunk.id ?? '', name: chunk.name ?? '', arguments: '' }
        calls.set(chunk.index, { ...known, arguments: known.arguments + chunk.arguments })
      }
      return []
    },
    last(said: readonly object[] = []): object {
      const made = [...calls.values()].map(({ id, name, arguments: json }) => ({ functionCall: { ...(id !== '' && { id }), name, args: argumentsOf(json) } }))
      const parts = [...said, ...made]
      return some(parts.length === 0 ? [{ text: '' }] : parts, { finishReason: finishReasons[finish] })
    },
  }
}

/** Pieces of one text are one part of a whole answer. */
function joinTexts(parts: readonly object[]): object[] {
  const joined: { text: string; thought?: boolean }[] = []
  for (const part of parts as readonly { text: string; thought?: boolean }[]) {
    const last = joined.at(-1)
    if (last && last.thought === part.thought) joined[joined.length - 1] = { ...last, text: last.text + part.text }
    else joined.push(part)
  }
  return joined
}

function usageOf({ inputTokens, outputTokens, cachedTokens, reasoningTokens = 0 }: Extract<ChatChunk, { kind: 'usage' }>): object {
  return {
    promptTokenCount: inputTokens,
    ...(cachedTokens !== undefined && { cachedContentTokenCount: cachedTokens }),
    candidatesTokenCount: Math.max(0, outputTokens - reasoningTokens),
    ...(reasoningTokens > 0 && { thoughtsTokenCount: reasoningTokens }),
    totalTokenCount: inputTokens + outputTokens,
  }
}

/** A model may have written what is no JSON; a client of this wire can take an object only. */
function argumentsOf(text: string): unknown {
  try {
    const value: unknown = text === '' ? {} : JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : { arguments: value }
  } catch {
    return { arguments: text }
  }
}

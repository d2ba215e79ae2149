import { whole, type ScriptedAnswer } from './model-script.ts'
import type { LoggedRequest, Wire } from './model-server.ts'

/** Ollama's native chat, and its /api/generate: one JSON object a line; tool calls come in a message before `done`, whose reason stays `stop`. */
export function ollamaWire(answer: ScriptedAnswer, request: LoggedRequest): Wire {
  const put = ({ content = '', ...more }: { content?: string; thinking?: string; tool_calls?: object[] }) =>
    (request.path === '/api/generate' ? { response: content, ...more } : { message: { role: 'assistant', content, ...more } })
  const line = (said: Parameters<typeof put>[0], rest: object = { done: false }) => `${JSON.stringify({ model: request.json?.['model'], created_at: '2026-01-01T00:00:00Z', ...put(said), ...rest })}\n`
  const toolCalls = answer.toolCalls?.map((call) => ({ function: call }))
  const end = {
    done: true,
    done_reason: answer.finish ?? 'stop',
    total_duration: 1000,
    load_duration: 10,
    ...(answer.quirks?.includes('no-usage') || answer.quirks?.includes('no-prompt-count') ? {} : { prompt_eval_count: answer.usage?.input ?? 7 }),
    ...(answer.quirks?.includes('no-usage') ? {} : { eval_count: answer.usage?.output ?? 2 }),
  }
  return {
    streams: request.json?.['stream'] !== false,
    contentType: 'application/x-ndjson',
    head: () => [],
    piece: (piece) => {
      if ('thinking' in piece) return [line({ thinking: piece.thinking })]
      if ('text' in piece) return [line({ content: piece.text })]
      return [line({ tool_calls: [{ function: piece.toolCall }] })]
    },
    error: (message) => `${JSON.stringify({ error: message })}\n`,
    tail: () => [line({}, end)],
    whole: () => ({
      model: request.json?.['model'],
      created_at: '2026-01-01T00:00:00Z',
      ...put({
        content: whole(answer, 'text'),
        ...(answer.thinking ? { thinking: whole(answer, 'thinking') } : {}),
        ...(toolCalls ? { tool_calls: toolCalls } : {}),
      }),
      ...end,
    }),
  }
}

import { whole, type ScriptedAnswer } from './model-script.ts'
import type { LoggedRequest, Wire } from './model-server.ts'
import { vectorOf } from './model-wire-embed.ts'

const place = /^\/v1beta\/models\/([^:]*(?:%3A[^:]*)*):(\w+)$/

/** The model and the method that stand in a path of Gemini's. */
export function geminiPath(path: string): { readonly model: string; readonly method: string } | undefined {
  const [, model, method] = place.exec(path) ?? []
  return model === undefined || method === undefined ? undefined : { model: decodeURIComponent(model), method }
}

const statuses: Readonly<Record<number, string>> = { 400: 'INVALID_ARGUMENT', 401: 'UNAUTHENTICATED', 403: 'PERMISSION_DENIED', 404: 'NOT_FOUND', 429: 'RESOURCE_EXHAUSTED', 500: 'INTERNAL', 503: 'UNAVAILABLE' }

/** An error as Google writes it, over several lines; of a limit it says in the body alone how long to wait. */
export function geminiError(code: number, message: string, retryAfter?: number | string, reason?: string): string {
  const details = [
    ...(retryAfter === undefined ? [] : [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${retryAfter}s` }]),
    ...(reason === undefined ? [] : [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'googleapis.com' }]),
  ]
  return JSON.stringify({ error: { code, message, status: statuses[code] ?? 'UNKNOWN', ...(details.length > 0 && { details }) } }, null, 2) + '\n'
}

/** Gemini's generateContent: unnamed events, each with the usage so far, and the reason in the last of them. */
export function geminiWire(answer: ScriptedAnswer, { path }: LoggedRequest): Wire {
  const quirk = new Set(answer.quirks ?? [])
  const { model, method } = geminiPath(path)!
  const thoughts = answer.thinking ? 5 : 0
  const counted = (output: number) => ({
    promptTokenCount: answer.usage?.input ?? 7, ...(output > 0 && { candidatesTokenCount: output }), totalTokenCount: (answer.usage?.input ?? 7) + output + thoughts,
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: answer.usage?.input ?? 7 }], ...(thoughts > 0 && { thoughtsTokenCount: thoughts }),
  })
  // what was thought is among the tokens that a script names
  const output = Math.max(0, (answer.usage?.output ?? 2) - thoughts)
  const finishReason = answer.finish === 'length' ? 'MAX_TOKENS' : 'STOP'
  const respond = (parts: readonly object[] | undefined, usage: object, more: object = {}) => ({
    candidates: [{ content: { ...(parts && { parts }), role: 'model' }, ...more, index: 0 }], ...(quirk.has('no-usage') ? {} : { usageMetadata: usage }), modelVersion: model, responseId: 'script',
  })
  const event = (body: object) => `data: ${JSON.stringify(body)}\r\n\r\n`
  const callPart = (call: { readonly name: string; readonly arguments: object }, index: number) => ({ functionCall: { name: call.name, args: call.arguments }, ...(index === 0 && { thoughtSignature: 'c2lnbmVk' }) })
  return {
    streams: method === 'streamGenerateContent',
    contentType: 'text/event-stream',
    head: () => [],
    piece: (piece) => {
      if ('thinking' in piece) return [event(respond([{ text: piece.thinking, thought: true }], counted(0)))]
      if ('text' in piece) return [event(respond([{ text: piece.text }], counted(1)))]
      return [event(respond([callPart(piece.toolCall, piece.index)], counted(1)))]
    },
    error: (message) => geminiError(503, message),
    tail: () => [event(respond([{ text: '' }], counted(output), { finishReason }))],
    whole: () => respond([
      ...(answer.thinking ? [{ text: whole(answer, 'thinking'), thought: true }] : []),
      ...(answer.text ? [{ text: whole(answer, 'text') }] : []),
      ...(answer.toolCalls ?? []).map(callPart),
    ], counted(output), { finishReason }),
  }
}

/** `short`: a vector is missing. */
export function geminiEmbedding({ json }: LoggedRequest, short: boolean): object {
  const requests = json?.['requests'] as readonly { readonly content: { readonly parts: readonly { readonly text: string }[] }; readonly outputDimensionality?: number }[]
  return { embeddings: requests.slice(short ? 1 : 0).map(({ content, outputDimensionality }) => ({ values: vectorOf(content.parts.map(({ text }) => text).join(''), outputDimensionality) })) }
}

/** Two models to a page, so that whoever reads one page alone misses some. */
export function geminiModels(names: readonly string[], pageToken: string | null): object {
  const at = Number(pageToken ?? 0)
  const models = names.slice(at, at + 2).map((name) => ({
    name: `models/${name}`, version: '001', displayName: name, inputTokenLimit: 1_048_576, outputTokenLimit: 65_536,
    supportedGenerationMethods: name.includes('embed') ? ['embedContent', 'countTextTokens'] : name.includes('imagen') ? ['predict'] : ['generateContent', 'countTokens'],
  }))
  return { models, ...(at + 2 < names.length && { nextPageToken: String(at + 2) }) }
}

import type { LoggedRequest } from './model-server.ts'

/** The vector that the scripted models make of a text: its length, its first character, and what is one eighth of that. */
export function vectorOf(text: string, dimensions = 3): number[] {
  const first = text.codePointAt(0) ?? 0
  return [text.length, first, first / 8, ...Array<number>(Math.max(0, dimensions - 3)).fill(0)].slice(0, dimensions)
}

/** Ollama's /api/embed and OpenAI's /v1/embeddings, whose data may be in any order. `short`: a vector is missing. */
export function embedding({ path, json }: LoggedRequest, short: boolean): object {
  const input = json?.['input'] as string | string[]
  const texts = (Array.isArray(input) ? input : [input]).slice(short ? 1 : 0)
  const vectors = texts.map((text) => vectorOf(text, json?.['dimensions'] as number | undefined))
  const tokens = texts.length * 5
  if (path === '/api/embed') return { model: json?.['model'], embeddings: vectors, total_duration: 1, load_duration: 1, prompt_eval_count: tokens }
  const data = vectors.map((vector, index) => ({ object: 'embedding', index, embedding: vector })).reverse()
  return { object: 'list', data, model: json?.['model'], usage: { prompt_tokens: tokens, total_tokens: tokens } }
}

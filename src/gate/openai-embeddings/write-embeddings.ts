import type { EmbedAnswer } from '../../models/index.ts'
import type { AskedEmbeddings } from './read-embeddings.ts'

/** Vectors as OpenAI tells them. */
export function embeddingsAnswer({ upstream, model, vectors, inputTokens }: EmbedAnswer, encoding: AskedEmbeddings['encoding']): object {
  return {
    object: 'list',
    data: vectors.map((vector, index) => ({ object: 'embedding', index, embedding: encoding === 'float' ? vector : toBase64(vector) })),
    model: `${upstream}/${model}`,
    usage: { prompt_tokens: inputTokens, total_tokens: inputTokens },
  }
}

/** 32-bit floats, little-endian. */
function toBase64(vector: readonly number[]): string {
  const bytes = Buffer.allocUnsafe(vector.length * 4)
  vector.forEach((number, index) => bytes.writeFloatLE(number, index * 4))
  return bytes.toString('base64')
}

import { checkVectors, type Embeddings, type EmbedRequest } from './embedding.ts'
import { parseJson, type Transport } from './transport.ts'

/** As many as one request may hold. */
const mostTogether = 100

/** Embeddings by batchEmbedContents, which does not say how many tokens it read. */
export async function embedByGemini(name: string, path: string, transport: Pick<Transport, 'postWhole'>, request: EmbedRequest, signal: AbortSignal): Promise<Embeddings> {
  const { model, input, dimensions } = request
  const found: unknown[] = []
  for (let at = 0; at < input.length; at += mostTogether) {
    const requests = input.slice(at, at + mostTogether).map((text) => ({
      model: `models/${model}`, content: { parts: [{ text }] }, ...(dimensions !== undefined && { outputDimensionality: dimensions }),
    }))
    const bytes = await transport.postWhole(path, { requests }, signal)
    const { embeddings } = (parseJson(name, bytes.toString('utf8')) ?? {}) as { embeddings?: readonly { readonly values?: unknown }[] }
    // one batch must not make up for another
    found.push(...checkVectors(name, { ...request, input: input.slice(at, at + mostTogether) }, Array.isArray(embeddings) ? embeddings.map((embedding) => embedding?.values) : undefined))
  }
  return { vectors: checkVectors(name, request, found) }
}

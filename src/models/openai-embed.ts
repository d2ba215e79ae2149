import { checkVectors, type Embeddings, type EmbedRequest } from './embedding.ts'
import { parseJson, type Transport } from './transport.ts'

interface Answer {
  readonly data?: readonly { readonly index?: number; readonly embedding?: unknown }[]
  readonly usage?: { readonly prompt_tokens?: number } | null
}

/** Embeddings by /embeddings; `encoding_format` is left out, since not every server knows it and all of them send numbers without it. */
export async function embedByOpenai(name: string, transport: Transport, request: EmbedRequest, signal: AbortSignal): Promise<Embeddings> {
  const { model, input, dimensions } = request
  const bytes = await transport.postWhole('/embeddings', { model, input, ...(dimensions === undefined ? {} : { dimensions }) }, signal)
  const { data, usage } = (parseJson(name, bytes.toString('utf8')) ?? {}) as Answer
  // their order is told by their index
  const sorted = Array.isArray(data) ? (data as NonNullable<Answer['data']>).toSorted((a, b) => (a?.index ?? 0) - (b?.index ?? 0)) : undefined
  const inputTokens = usage?.prompt_tokens
  return { vectors: checkVectors(name, request, sorted?.map((item) => item?.embedding)), ...(Number.isSafeInteger(inputTokens) ? { inputTokens } : {}) }
}

import { Fault } from '../kernel/fault.ts'

/** Texts that are to be made vectors, all by one model. */
export interface EmbedRequest {
  /** The upstream's own name for the model. */
  readonly model: string
  readonly input: readonly string[]
  /** Numbers in each vector, for models that can make fewer than they have. */
  readonly dimensions?: number | undefined
}

export interface Embeddings {
  /** One for each text, in their order. */
  readonly vectors: readonly (readonly number[])[]
  /** Tokens; undefined when the upstream does not say. */
  readonly inputTokens?: number | undefined
}

/** Does a model of this name make vectors? For servers that do not say. */
export function isEmbeddingName(name: string): boolean {
  return /embed|minilm|(^|[/:-])(bge|gte|e5)-/i.test(name)
}

/** What an upstream sent as vectors. A vector too few or too short would be taken for another text, or mixed with those of another model. */
export function checkVectors(upstream: string, { model, input, dimensions }: EmbedRequest, found: unknown): readonly (readonly number[])[] {
  const malformed = (what: string) => new Fault('unavailable', 'upstream.malformed', `upstream ${upstream} sent ${what}`, { upstream })
  if (!Array.isArray(found) || found.length !== input.length) throw malformed(`not one vector for each of ${input.length} texts`)
  const vectors = found as readonly unknown[]
  const isVector = (value: unknown): value is readonly number[] => Array.isArray(value) && value.length > 0 && value.every((number) => Number.isFinite(number))
  if (!vectors.every(isVector)) throw malformed('a vector that is not a list of numbers')
  const [first] = vectors
  if (vectors.some((vector) => vector.length !== first!.length)) throw malformed('vectors of different lengths')
  if (dimensions !== undefined && first!.length !== dimensions) {
    throw new Fault('invalid', 'request.unsupported', `${model} makes vectors of ${first!.length} numbers, not of ${dimensions}; leave dimensions out`, { param: 'dimensions' })
  }
  return vectors
}

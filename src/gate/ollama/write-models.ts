import type { ModelDescription } from '../../models/index.ts'

/** The time that Ollama gives where it knows none. */
const unknownTime = '0001-01-01T00:00:00Z'

const detailsOf = (family: string) => ({ parent_model: '', format: '', family, families: family === '' ? [] : [family], parameter_size: '', quantization_level: '' })

/** A model as /api/tags lists it. Where its files are, and how large, only the machine knows on which they lie. */
export function asTag(name: string): object {
  return { name, model: name, modified_at: unknownTime, size: 0, digest: '', details: detailsOf('') }
}

/** What is said of a model of which its upstream says nothing: what the wires to it carry. */
const carried = ['completion', 'tools', 'vision']

/** A model as /api/show describes it, as far as its upstream does. */
export function asShown(described: ModelDescription | undefined): object {
  const { family = '', capabilities = carried, contextLength } = described ?? {}
  const architecture = family === '' ? 'unknown' : family
  return {
    modelfile: '',
    parameters: '',
    template: '',
    details: detailsOf(family),
    model_info: { 'general.architecture': architecture, ...(contextLength !== undefined && { [`${architecture}.context_length`]: contextLength }) },
    capabilities,
    modified_at: unknownTime,
  }
}

import { z } from 'zod'
import { Fault } from '../../kernel/fault.ts'
import { defineTool } from '../define-tool.ts'
import { documentSchema } from '../text/summarize.ts'
import { summarizeDocuments, type SourceDocument } from '../text/summarize-documents.ts'
import { noModel } from './models.ts'

/** Characters of all documents together that are put before a model. */
const mostCharacters = 200_000
const extractedSentences = 7

export const modelAsk = defineTool({
  name: 'model.ask',
  summary: 'Ask a model that the label of the run allows; without one, the sentences that say most, if the step wants that',
  effect: 'read',
  fallback: 'extractive',
  label: 'untrusted',
  input: z.strictObject({
    task: z.string().regex(/^[a-z][a-z0-9_-]{0,49}$/).describe('what kind of work it is, e.g. summarize; the routes of castellan.yaml go by it'),
    prompt: z.string().min(1).max(1_000_000),
    system: z.string().max(100_000).optional(),
    maxTokens: z.int().min(1).max(100_000).optional(),
    documents: z.array(documentSchema).max(500).default([]).describe('what it is about: put behind the prompt unless it is in there already, and summed up when no model answers'),
  }),
  output: z.object({ text: z.string(), model: z.string().nullable(), madeWithoutModel: z.boolean() }),
  async run(context, { task, prompt, system, maxTokens, documents }) {
    const { models, fallback, signal, log } = context
    try {
      const answer = await models.ask({ task, system, maxTokens, signal, prompt: withDocuments(prompt, documents) })
      return { ...answer, madeWithoutModel: false }
    } catch (error) {
      if (fallback !== 'extractive' || !(error instanceof Fault) || !noModel.includes(error.kind) || error.code === 'model.label' || signal.aborted) throw error
      log('warn', `made without a model: ${error.message}`, { code: error.code })
      context.markMadeWithoutModel()
      return { text: summarizeDocuments(documents, extractedSentences).text, model: null, madeWithoutModel: true }
    }
  },
})

/** The prompt, followed by those documents that a template has not put into it. What is cut is said. */
function withDocuments(prompt: string, documents: readonly SourceDocument[]): string {
  const missing = documents.filter(({ text }) => !prompt.includes(text.trim().slice(0, 200)))
  let left = mostCharacters
  const parts = missing.map(({ title, text }, index) => {
    const shown = text.slice(0, left).toWellFormed()
    left -= shown.length
    const cut = shown.length < text.length ? '\n[the rest is left out]' : ''
    return `--- document ${index + 1} of ${missing.length}: ${title.replace(/\s+/g, ' ')}\n${shown}${cut}`
  })
  return [prompt, ...parts].join('\n\n')
}

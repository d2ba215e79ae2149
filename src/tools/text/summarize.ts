import { z } from 'zod'
import { defineTool } from '../define-tool.ts'
import { summarizeDocuments } from './summarize-documents.ts'

export const documentSchema = z.object({ title: z.string().max(500), text: z.string().max(200_000) })

export const textSummarize = defineTool({
  name: 'text.summarize',
  summary: 'Pick the sentences that say most, word for word and with their sources; no model takes part',
  effect: 'read',
  input: z.strictObject({
    documents: z.array(documentSchema).max(500),
    sentences: z.int().min(1).max(50).default(5),
  }),
  output: z.object({ text: z.string(), points: z.array(z.object({ text: z.string(), source: z.string() })) }),
  async run(_context, { documents, sentences }) {
    const { text, points } = summarizeDocuments(documents, sentences)
    return { text, points: [...points] }
  },
})

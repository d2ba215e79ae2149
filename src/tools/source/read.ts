import { z } from 'zod'
import { parseBoundedJson } from '../../kernel/bounded-json.ts'
import { Fault } from '../../kernel/fault.ts'
import { formatDuration } from '../../house/index.ts'
import { defineTool } from '../define-tool.ts'
import { storableText } from '../storable.ts'
import { aged, agedSchema, ageSchema, questionSchema } from './question.ts'
import type { Snapshot } from './sources.ts'

/** A fetch may have ended by the clock of another machine; more than that ahead, and nobody knows how old it is. */
const aheadMs = 60_000

export const sourceRead = defineTool({
  name: 'source.read',
  summary: 'Read the newest snapshot of a source, with its age; asks nobody outside',
  effect: 'read',
  input: questionSchema.extend({
    maxAge: ageSchema.optional().describe('e.g. 8h: an older snapshot is refused; as the source declares it unless said otherwise'),
    stale: z.enum(['refuse', 'allow']).default('refuse').describe('allow: an older one is handed out, and says that it is'),
  }).strict(),
  output: agedSchema.extend({
    stale: z.boolean(),
    media: z.string(),
    content: z.unknown().describe('JSON as its value, text as text, bytes as base64'),
  }),
  async run({ sources }, { source, params, maxAge, stale }) {
    const snapshot = await sources.snapshot({ source, params })
    const limit = maxAge ?? snapshot.maxAgeMs
    const isStale = snapshot.ageMs > limit || snapshot.ageMs < -aheadMs
    if (isStale && stale === 'refuse') {
      const why = snapshot.ageMs < 0 ? 'is from the future, so the clock went back' : `is ${formatDuration(Math.round(snapshot.ageMs / 1_000) * 1_000)} old`
      throw new Fault('unavailable', 'source.stale', `the snapshot of ${source} ${why}, and at most ${formatDuration(limit)} was asked for; refresh it with source.refresh, or write stale: allow`)
    }
    return { ...aged(snapshot), stale: isStale, media: snapshot.media, content: contentOf(snapshot) }
  },
})

function contentOf({ source, format, body }: Snapshot): unknown {
  if (format === 'bytes') return body.toString('base64')
  if (format === 'text') return storableText(body.toString('utf8'))
  const parsed = parseBoundedJson(body)
  if (!parsed) throw new Fault('invalid', 'source.unreadable', `the snapshot of ${source} is not JSON; it was stored when its format was another. Refresh it with source.refresh`)
  return parsed.value
}

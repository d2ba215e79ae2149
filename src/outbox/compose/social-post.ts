import { z } from 'zod'
import { Fault } from '../../kernel/fault.ts'
import { cutText } from '../acts/cut-text.ts'
import type { Composed, Frame } from './composed.ts'
import { composeOutbound, readPayload } from './outbound.ts'
import { readBody, refuseControls } from './text.ts'

const payloadSchema = z.strictObject({
  text: z.string().max(20_000), visibility: z.enum(['public', 'unlisted', 'private', 'direct']), language: z.string().regex(/^[a-z]{2,3}$/).nullish(), spoiler: z.string().min(1).max(500).nullish(),
  replyTo: z.string().regex(/^[A-Za-z0-9]{1,64}$/).nullish(),
})

/** What the server says of itself and of the account, asked when the post is frozen. */
export interface SocialPlace {
  readonly instance: string
  look(replyTo: string | undefined): Promise<{ readonly most: number; readonly perLink: number; readonly answered: { readonly author: string; readonly url: string | null } | undefined }>
}

// as Mastodon finds them: behind a letter or a slash they are part of something else
const mention = /(?<![\p{L}\p{N}_/])@([a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?)(?:@([\p{L}\p{N}.-]*[\p{L}\p{N}]))?/giu
const link = /https?:\/\/\S+/g

/** A post as it will stand there. @throws Fault `draft.payload`, `draft.body`, `mail.control` */
export async function composeSocialPost(payload: unknown, frame: Frame, { instance, look }: SocialPlace): Promise<Composed> {
  const read = readPayload(payloadSchema, payload, 'post')
  const text = readBody('text', read.text).trim()
  const spoiler = read.spoiler ?? null
  if (spoiler !== null) refuseControls('spoiler', spoiler)
  if (text === '') throw new Fault('invalid', 'draft.body', 'the post has no text')
  const mentioned = mentionsIn(text)
  if (read.visibility === 'direct' && mentioned.length === 0) throw new Fault('invalid', 'draft.body', 'a direct post is for those whom it mentions, and it mentions nobody: name them as @eva@social.example')
  const { most, perLink, answered } = await look(read.replyTo ?? undefined)
  const length = lengthOf(`${text}${spoiler ?? ''}`, perLink)
  if (length > most) throw new Fault('invalid', 'draft.body', `the post has ${length} characters, and ${new URL(instance).host} takes ${most}: shorten it, or propose several`)
  const first = cutText(text.split('\n')[0]!, 80)
  return composeOutbound(
    {
      kind: 'social.post', instance, visibility: read.visibility, text, language: read.language ?? null, spoiler, reply_to: read.replyTo ?? null,
      reply_author: answered?.author ?? null, reply_url: answered?.url ?? null,
    },
    frame,
    {
      title: `Post (${read.visibility}): ${first}`, to: [...reachedBy(read.visibility, instance), ...mentioned],
      undo: 'Afterwards: `castellan draft undo` deletes it there; who has read it has read it, and other servers may keep their copy.',
    },
  )
}

function reachedBy(visibility: string, instance: string): string[] {
  const { host } = new URL(instance)
  if (visibility === 'direct') return []
  return [visibility === 'private' ? `followers at ${host}` : `everybody, by ${host}`]
}

function mentionsIn(text: string): string[] {
  return [...new Set([...text.matchAll(mention)].map(([whole]) => whole.toLowerCase()))]
}

/** In characters as one sees them. A link counts as the server says, a mention without its server. */
export function lengthOf(text: string, perLink: number): number {
  const counted = text.replace(link, 'x'.repeat(perLink)).replace(mention, '@$1')
  return [...new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(counted)].length
}

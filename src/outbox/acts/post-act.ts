import type { ActFrame } from './outbound-act.ts'

/** A post by an account of a Mastodon server. */
export interface SocialPostAct extends ActFrame {
  readonly kind: 'social.post'
  readonly instance: string
  /** `public`, `unlisted`, `private` or `direct`. */
  readonly visibility: string
  readonly text: string
  /** Null: what the account has set. */
  readonly language: string | null
  /** The warning that it stands behind. */
  readonly spoiler: string | null
  /** The id of the post that it answers. */
  readonly reply_to: string | null
  /** Whose that is and where it stands, as the server said when this was frozen. */
  readonly reply_author: string | null
  readonly reply_url: string | null
}

export const socialPostShape = {
  instance: 'string', visibility: 'string', text: 'string', language: 'text or null', spoiler: 'text or null', reply_to: 'text or null', reply_author: 'text or null', reply_url: 'text or null',
} as const

const readers: Readonly<Record<string, string>> = {
  public: 'for everybody to read, in public timelines too', unlisted: 'for everybody to read, but not in public timelines',
  private: 'for those who follow the account', direct: 'for those alone whom it mentions',
}

export function wordsOfSocialPost({ account, visibility, text, language, spoiler, reply_to: reply, reply_author: author, reply_url: url }: SocialPostAct): string {
  return [
    `Post this as ${account}, ${readers[visibility] ?? visibility} (${visibility}).`,
    ...(reply === null ? [] : [`It answers the post ${reply} of ${author ?? 'somebody'}: ${url ?? 'without an address'}`]),
    ...(spoiler === null ? [] : [`It stands behind the warning: ${spoiler}`]),
    language === null ? 'Its language is what the account has set.' : `Its language: ${language}`,
    '',
    text,
    '',
  ].join('\n')
}

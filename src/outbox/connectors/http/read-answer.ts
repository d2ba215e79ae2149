import type { z } from 'zod'

/** What an answer says, in the form that is expected; nothing when it says something else. */
export function readAnswer<T>(schema: z.ZodType<T>, body: Buffer | undefined): T | undefined {
  try {
    return schema.parse(JSON.parse(body?.toString('utf8') ?? ''))
  } catch {
    return undefined
  }
}

/** What the other side said, to be shown: one line of visible characters, without the secret that it may repeat. */
export function showSaid(said: string, secret = ''): string {
  const clean = secret === '' ? said : said.replaceAll(secret, '…')
  return clean.replace(/[^\p{L}\p{N}\p{P}\p{S}\p{Zs}]+/gu, ' ').trim().slice(0, 300).toWellFormed()
}

import type { TestContext } from 'node:test'
import { startHttpReceiver } from './http-receiver.ts'

export const mastodonToken = 'token-of-the-account'

export interface TestPost {
  readonly id: string
  readonly text: string
  readonly visibility: string
  readonly spoiler_text: string
  readonly in_reply_to_id: string | null
  readonly language: string | null
  readonly created_at: string
}

/** The part of Mastodon's API that posts, for the account @house, on loopback: it knows keys of idempotency, and refuses what Mastodon refuses. */
export async function startMastodonApi(t: TestContext, { user = 'house' }: { user?: string } = {}) {
  const posts: TestPost[] = []
  const byKey = new Map<string, TestPost>()
  const pageOf = (post: TestPost) => ({
    ...post, text: undefined, content: `<p>${post.text}</p>`, uri: `https://social.example/users/house/statuses/${post.id}`, url: `${server.url}/@house/${post.id}`, sensitive: post.spoiler_text !== '', account: { id: '42', username: user, acct: user },
  })
  const server = await startHttpReceiver(t, {
    answer({ method, path, headers, body }) {
      const say = (status: number, value: unknown) => ({ status, body: JSON.stringify(value) })
      const { pathname } = new URL(path, 'http://localhost')
      if (pathname === '/api/v2/instance') return say(200, { domain: 'social.example', configuration: { statuses: { max_characters: 500, max_media_attachments: 4, characters_reserved_per_url: 23 } } })
      if (headers.authorization !== `Bearer ${mastodonToken}`) return say(401, { error: 'The access token is invalid' })
      if (pathname === '/api/v1/accounts/verify_credentials') return say(200, { id: '42', username: user, acct: user, source: {} })
      if (pathname === '/api/v1/accounts/42/statuses') return say(200, [...posts].reverse().map(pageOf))
      if (pathname === '/api/v1/statuses/7777') return say(200, { ...pageOf({ id: '7777', text: 'Hm?', visibility: 'public', spoiler_text: '', in_reply_to_id: null, language: null, created_at: '2026-03-01T10:00:00.000Z' }), url: 'https://elsewhere.example/@eva/7777', account: { acct: 'eva@elsewhere.example' } })
      const [, id, source] = /^\/api\/v1\/statuses\/(\w+)(\/source)?$/.exec(pathname) ?? []
      const index = posts.findIndex((post) => post.id === id)
      if (id !== undefined && index < 0) return say(404, { error: 'Record not found' })
      if (source !== undefined) return say(200, { id, text: posts[index]!.text, spoiler_text: posts[index]!.spoiler_text })
      if (id !== undefined && method === 'DELETE') return say(200, { ...pageOf(posts.splice(index, 1)[0]!), text: 'it' })
      if (id !== undefined) return say(200, pageOf(posts[index]!))
      if (method !== 'POST' || pathname !== '/api/v1/statuses') return say(404, { error: 'Not Found' })
      const key = headers['idempotency-key'] as string | undefined
      if (key !== undefined && byKey.has(key)) return say(200, pageOf(byKey.get(key)!))
      const asked = JSON.parse(body.toString()) as { status: string; visibility: string; spoiler_text?: string; in_reply_to_id?: string; language?: string }
      if ([...asked.status].length > 500) return say(422, { error: 'Validation failed: Text character limit of 500 exceeded' })
      const post = {
        id: String(110_000 + posts.length), text: asked.status, visibility: asked.visibility, spoiler_text: asked.spoiler_text ?? '', in_reply_to_id: asked.in_reply_to_id ?? null, language: asked.language ?? null,
        created_at: '2026-03-02T09:10:00.000Z',
      }
      posts.push(post)
      if (key !== undefined) byKey.set(key, post)
      return say(200, pageOf(post))
    },
  })
  return { server, posts }
}

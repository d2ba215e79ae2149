import { z } from 'zod'
import type { MastodonConnectorSettings } from '../../house/index.ts'
import { Fault } from '../../kernel/fault.ts'
import { faultPoint } from '../../kernel/fault-point.ts'
import { readOutboundAct } from '../acts/outbound-act.ts'
import type { SocialPostAct } from '../acts/post-act.ts'
import { actOf } from '../compose/outbound.ts'
import { composeSocialPost, type SocialPlace } from '../compose/social-post.ts'
import { sha256 } from '../document.ts'
import { checkBytes } from './check-bytes.ts'
import type { Connector, Receipt, Trail } from './connector.ts'
import type { Network } from './http/connection.ts'
import { exchange, type Answer, type HttpPatience } from './http/exchange.ts'
import { judgeStatus, waitUntil } from './http/judge-status.ts'
import { dryRun, question } from './http/question.ts'
import { readAnswer, showSaid } from './http/read-answer.ts'

export interface MastodonOptions extends Pick<MastodonConnectorSettings, 'name' | 'instance' | 'account'> {
  /** The secret: its name, and its value when there is one. */
  readonly token: { readonly secret: string; readonly value: string | undefined }
  readonly network: Network
  readonly patience?: Partial<HttpPatience>
}

const longestAnswer = 8 * 1024 * 1024
const lookMs = 30_000
/** When it left is a time of this machine, and when a post was made one of the server. */
const clocksDifferMs = 60_000
/** What Mastodon has unless its operator changed it. */
const usual = { max_characters: 500, characters_reserved_per_url: 23 }

const refusalSchema = z.object({ error: z.string() })
const idSchema = z.string().regex(/^[A-Za-z0-9]{1,64}$/)
const accountSchema = z.object({ id: idSchema, username: z.string(), acct: z.string() })
const instanceSchema = z.object({ configuration: z.object({ statuses: z.object({ max_characters: z.int().positive(), characters_reserved_per_url: z.int().positive().catch(usual.characters_reserved_per_url) }) }) })
const statusSchema = z.object({
  id: idSchema, url: z.string().nullish(), created_at: z.string(), visibility: z.string(), spoiler_text: z.string().catch(''), in_reply_to_id: z.string().nullish(), account: z.object({ acct: z.string() }),
})
const sourceSchema = z.object({ text: z.string() })
type Status = z.infer<typeof statusSchema>

interface Ask {
  readonly signal: AbortSignal
  readonly commit?: () => Promise<void>
  readonly body?: object
  readonly key?: string
}

/**
 * Posts as one account. The key is the nonce of the draft: the same at each of its tries, and another for each draft, whatever it says. The server forgets a key of idempotency after an hour, and keeps it only once the post is made, so that a failure
 * of its own is not tried again but looked into.
 */
export function createMastodonConnector({ name, instance, account: user, token, network, patience }: MastodonOptions): Connector {
  const { host } = new URL(instance)
  const account = `@${user} at ${instance}`

  async function call(method: 'GET' | 'POST' | 'DELETE', path: string, { signal, commit = async () => {}, body, key }: Ask): Promise<Answer> {
    const headers = { accept: 'application/json', authorization: `Bearer ${tokenOf(token)}`, ...(body && { 'content-type': 'application/json' }), ...(key !== undefined && { 'idempotency-key': key }) }
    return exchange({ method, url: `${instance}${path}`, headers, body: body === undefined ? null : Buffer.from(JSON.stringify(body)) }, { network, signal, commit, patience, reads: longestAnswer })
  }

  /** @throws Fault when it was not taken, or nobody knows */
  function read<T>(schema: z.ZodType<T>, answer: Answer, isQuestion = true): T {
    const said = readAnswer(refusalSchema, answer.body)?.error
    const fault = judgeStatus(host, answer.status, answer.headers, { isQuestion, isIdempotent: false, said: said && showSaid(said, token.value), waitMs: waitUntil(Date.parse(String(answer.headers['x-ratelimit-reset'])), answer.headers) })
    if (fault) throw fault
    const found = readAnswer(schema, answer.body)
    if (found === undefined) throw new Fault('unavailable', 'connector.unknown', `${host} answered ${answer.status} and not what Mastodon's API answers`)
    return found
  }

  /** The id of the account that the token is of, when it is the declared one. */
  async function whoAmI(signal: AbortSignal): Promise<string> {
    const { id, username } = read(accountSchema, await call('GET', '/api/v1/accounts/verify_credentials', { signal }))
    if (username.toLowerCase() === user.toLowerCase()) return id
    throw new Fault('refused', 'connector.not_sent', `the token ${token.secret} is of @${showSaid(username, token.value)}, and castellan.yaml names @${user}; nothing was sent. Put a token of that account there`)
  }

  const look: SocialPlace['look'] = async (replyTo) => {
    const signal = AbortSignal.timeout(lookMs)
    await whoAmI(signal)
    const said = await call('GET', '/api/v2/instance', { signal })
    // a server that is older, or another, has no such page
    const { max_characters: most, characters_reserved_per_url: perLink } = said.status === 404 ? usual : read(instanceSchema, said).configuration.statuses
    if (replyTo === undefined) return { most, perLink, answered: undefined }
    const answered = await call('GET', `/api/v1/statuses/${replyTo}`, { signal })
    if (answered.status === 404) throw new Fault('refused', 'social.missing', `there is no post ${replyTo} at ${host} that @${user} may see: it cannot be answered`)
    const { account: author, url } = read(statusSchema, answered)
    return { most, perLink, answered: { author: `@${showSaid(author.acct)}`, url: url == null ? null : showSaid(url) } }
  }

  /**
   * The one post that says the same, was made since this may have left, and is not what another draft left. Nothing where there are several, or where another
   * that says the same may have left too: which of them it is nobody knows then. What it says is asked of the server as it was written, not as the page that it made of it.
   */
  async function find(act: SocialPostAct, { since, receipts, open }: Trail): Promise<Receipt | undefined> {
    if (open.some((wire) => saysSame(wire, act))) return undefined
    const signal = AbortSignal.timeout(lookMs)
    const id = await whoAmI(signal)
    const posts = read(z.array(statusSchema), await call('GET', `/api/v1/accounts/${id}/statuses?exclude_reblogs=true&limit=40`, { signal }))
    const found: Status[] = []
    for (const post of posts) {
      if (Date.parse(post.created_at) < since.getTime() - clocksDifferMs || receipts.some((other) => other['id'] === post.id)) continue
      if (post.visibility !== act.visibility || (post.in_reply_to_id ?? null) !== act.reply_to || post.spoiler_text !== (act.spoiler ?? '')) continue
      const { text } = read(sourceSchema, await call('GET', `/api/v1/statuses/${post.id}/source`, { signal }))
      if (text.trim() === act.text) found.push(post)
    }
    return found.length === 1 ? receiptOf(found[0]!, act) : undefined
  }

  function receiptOf({ id, url, visibility }: Status, { text }: SocialPostAct): Receipt {
    return { host, reply: '200', id, visibility, ...(url?.startsWith(`${instance}/`) === true && { url: showSaid(url) }), sha256: sha256(text), length: text.length }
  }

  return {
    name,
    kind: 'mastodon',
    account,
    zone: 'internet',
    from: account,
    accepts: (kind) => kind === 'social.post',
    compose: (_kind, payload, frame) => dryRun(composeSocialPost(payload, frame, { instance, look })),
    async deliver(wire, document, signal, commit) {
      const act = actOf(wire, ['social.post'], account)
      if (act.instance !== instance) throw new Fault('refused', 'connector.not_sent', `the bytes are for ${act.instance}, and this connector posts at ${instance}; nothing was sent`)
      await question(whoAmI(signal))
      checkBytes(wire, document)
      const spend = async () => {
        await commit()
        faultPoint('social.post:before')
      }
      const answer = await call('POST', '/api/v1/statuses', { signal, commit: spend, key: document.nonce, body: bodyOf(act) })
      faultPoint('social.post:after')
      return receiptOf(read(statusSchema, answer, false), act)
    },
    async reconcile(wire, _document, trail) {
      const act = readOutboundAct(wire)
      return act?.kind === 'social.post' && act.account === account ? find(act, trail) : undefined
    },
    async undo(wire, _document, receipt, trail) {
      const act = actOf(wire, ['social.post'], account)
      const id = idSchema.safeParse(receipt['id'] ?? (await find(act, trail))?.['id']).data
      if (id === undefined) throw new Fault('conflict', 'draft.not_undone', `there is no post of @${user} at ${host} that is certainly of this draft; nothing was deleted. Look there`)
      const signal = AbortSignal.timeout(lookMs)
      await question(whoAmI(signal))
      const answer = await call('DELETE', `/api/v1/statuses/${id}`, { signal })
      if (answer.status !== 404) read(z.unknown(), answer, false)
      return { deleted: id, was_there: answer.status !== 404 }
    },
    async reach(signal) {
      await whoAmI(signal)
      return `@${user} at ${host}`
    },
  }
}

/** Two such posts cannot be told apart there, whatever language each is in. */
function saysSame(wire: Uint8Array, { text, visibility, spoiler, reply_to: reply }: SocialPostAct): boolean {
  const other = readOutboundAct(wire)
  return other?.kind === 'social.post' && other.text === text && other.visibility === visibility && other.spoiler === spoiler && other.reply_to === reply
}

function bodyOf({ text, visibility, language, spoiler, reply_to: reply }: SocialPostAct): object {
  return { status: text, visibility, ...(language !== null && { language }), ...(spoiler !== null && { spoiler_text: spoiler, sensitive: true }), ...(reply !== null && { in_reply_to_id: reply }) }
}

function tokenOf({ secret, value }: MastodonOptions['token']): string {
  if (value !== undefined && /^[\x21-\x7e]{8,500}$/.test(value)) return value
  throw new Fault('refused', 'connector.not_sent', `there is no secret ${secret}, or it is no token; nothing was sent. Put an access token of the account into $CASTELLAN_HOME/secrets/${secret}`)
}

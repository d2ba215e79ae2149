import { z } from 'zod'
import { Fault } from '../../kernel/fault.ts'
import type { GithubConnectorSettings } from '../../house/index.ts'
import { readOutboundAct } from '../acts/outbound-act.ts'
import type { PushedChange } from '../acts/push-act.ts'
import { actOf } from '../compose/outbound.ts'
import { composePullOpen } from '../compose/pull-open.ts'
import { checkBytes } from './check-bytes.ts'
import type { Connector, Receipt } from './connector.ts'
import { readLimit } from './github-limit.ts'
import type { Network } from './http/connection.ts'
import { exchange, type HttpPatience } from './http/exchange.ts'
import { judgeStatus } from './http/judge-status.ts'
import { dryRun, question } from './http/question.ts'
import { readAnswer, showSaid } from './http/read-answer.ts'

export interface GithubOptions extends Pick<GithubConnectorSettings, 'name' | 'repository' | 'bases' | 'api'> {
  /** The secret: its name, and its value when there is one. */
  readonly token: { readonly secret: string; readonly value: string | undefined }
  readonly network: Network
  readonly patience?: Partial<HttpPatience>
}

const longestAnswer = 8 * 1024 * 1024
/** The forge lists no more files of a comparison. */
const mostFiles = 300
const lookMs = 30_000

const refSchema = z.object({ object: z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/) }) })
const branchesSchema = z.array(z.object({ name: z.string(), commit: z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/) }) }))
const branchPages = { size: 100, most: 20 }
const compareSchema = z.object({ files: z.array(z.object({ filename: z.string(), status: z.string(), additions: z.int(), deletions: z.int(), previous_filename: z.string().optional() })) })
const pullSchema = z.object({ number: z.int().positive(), title: z.string(), body: z.string().nullish(), created_at: z.string(), head: z.object({ sha: z.string() }) })
const refusalSchema = z.object({ message: z.string(), errors: z.array(z.object({ message: z.string().optional() })).optional() })
const statuses: Readonly<Record<string, string>> = { added: 'A', copied: 'A', modified: 'M', changed: 'T', removed: 'D', renamed: 'A' }

/** Opens pull requests in one repository, for a branch that is there and is at the commit that was signed. */
export function createGithubConnector({ name, repository, bases, api, token, network, patience }: GithubOptions): Connector {
  const { host } = new URL(api)
  const account = `${repository} at ${host}, into ${bases.join(', ')}`

  async function call<T>(schema: z.ZodType<T>, method: 'GET' | 'POST', path: string, body: object | null, { signal, commit = async () => {} }: { signal: AbortSignal; commit?: () => Promise<void> }): Promise<T> {
    const headers = { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28', authorization: `Bearer ${tokenOf(token)}`, ...(body && { 'content-type': 'application/json' }) }
    const answer = await exchange({ method, url: `${api}/repos/${repository}${path}`, headers, body: body && Buffer.from(JSON.stringify(body)) }, { network, signal, commit, patience, reads: longestAnswer })
    const said = readAnswer(refusalSchema, answer.body)
    const fault = judgeStatus(host, answer.status, answer.headers, { ...readLimit(answer, said?.message), isQuestion: method === 'GET', isIdempotent: method === 'GET', said: said && showSaid([said.message, ...(said.errors ?? []).flatMap((one) => one.message ?? [])].join('; '), token.value) })
    if (fault) throw fault
    const found = readAnswer(schema, answer.body)
    if (found === undefined) throw new Fault('unavailable', 'connector.unknown', `${host} answered ${answer.status} and not what GitHub's API answers`)
    return found
  }

  async function headOf(branch: string, signal: AbortSignal): Promise<string> {
    return (await call(refSchema, 'GET', `/git/ref/heads/${branch}`, null, { signal })).object.sha
  }

  /** What the branches are at, all of them: a name that nobody has signed yet is not even asked about, for it could be a word and no name. */
  async function branchesOf(signal: AbortSignal): Promise<Map<string, string>> {
    const found = new Map<string, string>()
    for (let page = 1; page <= branchPages.most; page += 1) {
      const some = await call(branchesSchema, 'GET', `/branches?per_page=${branchPages.size}&page=${page}`, null, { signal })
      for (const { name, commit } of some) found.set(name, commit.sha)
      if (some.length < branchPages.size) return found
    }
    throw new Fault('refused', 'git.many', `${repository} has more than ${branchPages.size * branchPages.most} branches; delete those that are merged, and propose it again`)
  }

  async function look(head: string, base: string): Promise<{ commit: string; changes: PushedChange[] }> {
    const signal = AbortSignal.timeout(lookMs)
    const branches = await branchesOf(signal)
    const commit = branches.get(head)
    const missing = commit === undefined ? head : branches.has(base) ? undefined : base
    if (commit === undefined || missing !== undefined) throw new Fault('missing', 'git.branch', `${repository} has no branch ${missing}; push it first, and propose it again`)
    const { files } = await call(compareSchema, 'GET', `/compare/${encodeURIComponent(base)}...${commit}`, null, { signal })
    if (files.length >= mostFiles) throw new Fault('refused', 'git.many', `it changes ${mostFiles} files or more, and the forge lists no more of them; ask for it in parts`)
    const changes = files.flatMap(({ filename, status, additions, deletions, previous_filename: before }): PushedChange[] => [
      ...(status === 'renamed' && before !== undefined ? [{ path: checkName(before), status: 'D', added: null, removed: null }] : []),
      { path: checkName(filename), status: statuses[status] ?? 'M', added: additions, removed: deletions },
    ])
    return { commit, changes }
  }

  return {
    name,
    kind: 'github',
    account,
    zone: 'internet',
    from: account,
    accepts: (kind) => kind === 'pull.open',
    compose: (_kind, payload, frame) => dryRun(composePullOpen(payload, frame, { repository, bases, look })),
    async deliver(wire, document, signal, commit) {
      const act = actOf(wire, ['pull.open'], account)
      if (act.repository !== repository) throw new Fault('refused', 'connector.not_sent', `the bytes are for ${act.repository}; nothing was sent`)
      const at = await question(headOf(act.head, signal))
      if (at !== act.commit) throw new Fault('conflict', 'connector.not_sent', `${act.head} is at ${at} now, and was at ${act.commit} when this was frozen; propose it again`)
      checkBytes(wire, document)
      const { title, body, head, base } = act
      const opened = await call(pullSchema, 'POST', '/pulls', { title, body, head, base, maintainer_can_modify: false }, { signal, commit })
      // the forge opens it for a branch, and takes no commit to hold that to
      if (opened.head.sha !== act.commit) {
        const brief = `${host} opened pull request ${opened.number}, which shows ${showSaid(opened.head.sha)}, and ${act.commit} was signed`
        throw new Fault('conflict', 'connector.unknown', `${brief}: ${head} was moved meanwhile. Look at it there, and close it if that is not wanted`, { brief, suspicion: 'commit' })
      }
      return receiptOf(opened.number, act.commit)
    },
    async reconcile(wire, document) {
      const act = readOutboundAct(wire)
      if (act?.kind !== 'pull.open' || act.account !== account) return undefined
      const query = new URLSearchParams({ state: 'all', head: `${repository.split('/')[0]}:${act.head}`, base: act.base, per_page: '20' })
      const found = await call(z.array(pullSchema), 'GET', `/pulls?${query}`, null, { signal: AbortSignal.timeout(lookMs) })
      const ours = found.find((one) => one.title === act.title && (one.body ?? '') === act.body && one.head.sha === act.commit && Date.parse(one.created_at) >= Date.parse(document.frozen_at))
      return ours && receiptOf(ours.number, act.commit)
    },
    async reach(signal) {
      const { full_name: found } = await call(z.object({ full_name: z.string() }), 'GET', '', null, { signal })
      return `the repository ${showSaid(found, token.value)}`
    },
  }

  function receiptOf(number: number, at: string): Receipt {
    return { host, repository, number, commit: at }
  }
}

function tokenOf({ secret, value }: GithubOptions['token']): string {
  if (value !== undefined && /^[\x21-\x7e]{8,500}$/.test(value)) return value
  throw new Fault('refused', 'connector.not_sent', `there is no secret ${secret}, or it is no token; nothing was sent. Put it into $CASTELLAN_HOME/secrets/${secret}`)
}

function checkName(path: string): string {
  if (path.isWellFormed() && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\uFFFD]/u.test(path)) return path
  throw new Fault('refused', 'git.name', `a path is called ${JSON.stringify(path)}, which cannot be shown; give it another name first`)
}

import { Fault, toFault } from '../../../kernel/fault.ts'
import { faultPoint } from '../../../kernel/fault-point.ts'
import type { GitConnectorSettings } from '../../../house/index.ts'
import { readOutboundAct } from '../../acts/outbound-act.ts'
import type { GitPushAct } from '../../acts/push-act.ts'
import { composeGitPush, refOf } from '../../compose/git-push.ts'
import { actOf } from '../../compose/outbound.ts'
import { checkBytes } from '../check-bytes.ts'
import type { Connector, Receipt } from '../connector.ts'
import type { Lookup } from '../http/address.ts'
import { dryRun } from './dry-run.ts'
import { createWorkshop, said } from './workshop.ts'

export interface GitOptions extends Pick<GitConnectorSettings, 'name' | 'repository' | 'remote' | 'branches'> {
  readonly user?: string | undefined
  /** Of this connector, in the releaser's own. */
  readonly folder: string
  /** The secret: its name, and its value when there is one. */
  readonly password?: { readonly secret: string; readonly value: string | undefined } | undefined
  readonly isPrivate: boolean
  readonly ca?: string | undefined
  readonly lookup?: Lookup | undefined
}

/** Nothing else is frozen meanwhile, and the database gives up a transaction that idles for two minutes. */
const dryRunMs = 60_000
const reconcileMs = 30_000

/** Pushes one commit to one branch: exactly that commit, as long as the branch is where it was when it was frozen. */
export function createGitConnector(options: GitOptions): Connector {
  const { name, repository, remote, branches, user, password } = options
  const account = `${remote}${user === undefined ? '' : ` as ${user}`}, from ${repository}, branches ${branches.join(', ')}`
  const login = user !== undefined && password?.value !== undefined ? { user, password: password.value } : undefined
  const workshop = createWorkshop({ ...options, login })

  function requireLogin(): void {
    if (password === undefined || login) return
    throw new Fault('refused', 'connector.not_sent', `there is no secret ${password.secret}; nothing was pushed. Put the password or token into $CASTELLAN_HOME/secrets/${password.secret}`)
  }

  /** What the branch is at now. @throws Fault `connector.try_again` when the remote does not answer */
  async function head(ref: string, signal: AbortSignal): Promise<string | undefined> {
    try {
      return await workshop.look(ref, signal)
    } catch (error) {
      const fault = toFault(error)
      throw fault.code === 'git.unreachable' ? new Fault('unavailable', 'connector.try_again', fault.message, fault.details, error) : fault
    }
  }

  return {
    name,
    kind: 'git',
    account,
    zone: remote.startsWith('/') ? 'machine' : 'internet',
    from: account,
    accepts: (kind) => kind === 'git.push',
    async compose(_kind, payload, frame) {
      try {
        return await composeGitPush(payload, frame, { remote, branches, look: (commit, ref, draft) => dryRun(workshop, { commit, ref, draft }, AbortSignal.timeout(dryRunMs)) })
      } catch (error) {
        const fault = toFault(error)
        // a remote that does not answer must not keep other proposals from being frozen
        throw fault.kind === 'unavailable' || fault.kind === 'timeout' ? new Fault('refused', fault.code, `${fault.message}; propose it again later`, {}, error) : fault
      }
    },
    async deliver(wire, document, signal, commit) {
      let begun = false
      try {
        signal.throwIfAborted()
        const act = actOf(wire, ['git.push'], account)
        if (act.remote !== remote || refOf(act.ref.replace(/^refs\/heads\//, ''), branches) !== act.ref) throw new Fault('refused', 'connector.not_sent', `the bytes are for ${act.ref} of ${act.remote}; nothing was pushed`)
        requireLogin()
        if (!(await workshop.has(act.new, signal))) await workshop.takeIn(act.new, document.id, signal)
        const now = (await head(act.ref, signal)) ?? null
        if (now !== act.old) throw new Fault('conflict', 'connector.not_sent', `${act.ref} is at ${now ?? 'nothing'} now, and was at ${act.old ?? 'nothing'} when this was frozen; propose it again`)
        checkBytes(wire, document)
        await commit()
        begun = true
        faultPoint('git.push:before')
        return await push(act, signal)
      } catch (error) {
        const fault = toFault(error)
        if (begun || /^(?:connector|nonce|releaser)\./.test(fault.code)) throw fault
        throw new Fault(fault.kind === 'internal' ? 'unavailable' : fault.kind, 'connector.not_sent', `nothing was pushed: ${fault.message}`, {}, error)
      }
    },
    async reconcile(wire) {
      const act = readOutboundAct(wire)
      if (act?.kind !== 'git.push' || act.account !== account) return undefined
      return (await workshop.look(act.ref, AbortSignal.timeout(reconcileMs))) === act.new ? receiptOf(act) : undefined
    },
    async reach(signal) {
      requireLogin()
      const at = await workshop.look('HEAD', signal)
      return at === undefined ? 'a repository without a commit' : `a repository whose HEAD is ${at.slice(0, 12)}`
    },
  }

  async function push(act: GitPushAct, signal: AbortSignal): Promise<Receipt> {
    const { code, stdout, stderr } = await workshop.push([`--force-with-lease=${act.ref}:${act.old ?? ''}`, `${act.new}:${act.ref}`], signal)
    faultPoint('git.push:after')
    const line = stdout.toString('utf8').split('\n').find((one) => one.includes(`\t${act.new}:${act.ref}\t`))
    if (code === 0 && line !== undefined && !line.startsWith('!')) return receiptOf(act)
    // a push that git itself repeats on a fresh connection is refused when the first was taken: the branch tells
    const at = await workshop.look(act.ref, signal).catch(() => 'nobody knows')
    if (at === act.new) return receiptOf(act)
    const status = /returned error: (4\d\d)/.exec(stderr)?.[1]
    if (status !== undefined && (at ?? null) === act.old) throw new Fault('refused', 'connector.not_sent', `${remote} answered ${status} to the push; the login may not push there`)
    // git says no too when the connection broke off before the other side reported
    if (line?.startsWith('!') && at !== 'nobody knows' && !/remote failure|failed to report/i.test(line)) {
      const brief = `${remote} did not take the push`
      throw new Fault('refused', 'connector.not_sent', `${brief}: ${said(line.slice(line.lastIndexOf('\t')))}`, { brief })
    }
    const brief = `the push to ${remote} ${code === null ? 'took too long' : 'broke off'}`
    throw new Fault('unavailable', 'connector.unknown', `${brief}: ${said(stderr)}`, { brief })
  }

  function receiptOf({ ref, old, new: at }: GitPushAct): Receipt {
    return { remote, ref, commit: at, before: old ?? 'nothing' }
  }
}

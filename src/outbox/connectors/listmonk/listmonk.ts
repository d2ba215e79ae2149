import type { ListmonkConnectorSettings } from '../../../house/index.ts'
import { Fault, toFault } from '../../../kernel/fault.ts'
import { faultPoint } from '../../../kernel/fault-point.ts'
import { counted, type NewsletterAct } from '../../acts/newsletter-act.ts'
import { readOutboundAct } from '../../acts/outbound-act.ts'
import { composeNewsletter } from '../../compose/newsletter.ts'
import { actOf } from '../../compose/outbound.ts'
import { checkBytes } from '../check-bytes.ts'
import type { Connector, Receipt } from '../connector.ts'
import { dryRun, question } from '../http/question.ts'
import { createCampaigns, isSame, type Ask, type Campaign, type CampaignsOptions } from './campaigns.ts'

export interface ListmonkOptions extends Pick<ListmonkConnectorSettings, 'name' | 'from' | 'lists' | 'template'>, CampaignsOptions {}

const lookMs = 30_000

/**
 * Mails newsletters by a listmonk. The campaign is made first, as a draft that nobody gets; to start it is the one act that cannot be
 * taken back. Whatever a crash leaves between the two is known by its name, and made anew.
 */
export function createListmonkConnector({ name, from, lists: allowed, template, ...options }: ListmonkOptions): Connector {
  const { url, user } = options
  const { host } = new URL(url)
  const campaigns = createCampaigns(options)
  const account = `${user} at ${url}, as ${from}`
  const asking = () => ({ signal: AbortSignal.timeout(lookMs) })

  /** The campaign of this act that was started, however it went on; a draft is none. */
  async function findStarted(act: NewsletterAct, ask: Ask): Promise<Campaign | undefined> {
    const started = (await campaigns.named(act.campaign, ask)).find(({ status }) => status !== 'draft')
    return started && campaigns.get(started.id, ask)
  }

  function receiptOf({ id, status }: Pick<Campaign, 'id' | 'status'>, { lists }: NewsletterAct): Receipt {
    return { host, reply: '200', campaign: id, status, people: lists.reduce((sum, { people }) => sum + people, 0) }
  }

  /** @throws Fault `connector.not_sent` when it would go to more people than was signed, by more than come in a while */
  async function checkReaders({ lists }: NewsletterAct, ask: Ask): Promise<void> {
    const now = await campaigns.lists(ask)
    for (const { id, name: list, people } of lists) {
      const found = now.find((one) => one.id === id)
      if (found?.name !== list) throw new Fault('conflict', 'connector.not_sent', `the list ${list} is not there any more; nothing was sent. Propose it again`)
      if (found.people > people + Math.max(10, people / 10)) throw new Fault('conflict', 'connector.not_sent', `on the list ${list} were ${counted(people)} when this was frozen, and are ${counted(found.people)} now; nothing was sent. Propose it again`)
    }
  }

  async function removeDrafts({ campaign }: NewsletterAct, ask: Ask): Promise<number[]> {
    const drafts = (await campaigns.named(campaign, ask)).filter(({ status }) => status === 'draft')
    for (const { id } of drafts) await campaigns.remove(id, ask)
    return drafts.map(({ id }) => id)
  }

  /** What an earlier try left as a draft goes: somebody may have changed it there. */
  async function makeDraft(act: NewsletterAct, ask: Ask): Promise<Campaign> {
    await removeDrafts(act, ask)
    const made = await campaigns.draft(act, ask)
    faultPoint('newsletter.draft')
    if (made.status === 'draft' && isSame(made, act)) return made
    await campaigns.remove(made.id, ask)
    throw new Fault('refused', 'connector.not_sent', `${host} made something else of the newsletter than was signed, and it was taken away again; nothing was sent`)
  }

  async function start(draft: Campaign, act: NewsletterAct, { signal, commit }: { signal: AbortSignal; commit: () => Promise<void> }): Promise<Receipt> {
    let isSpent = false
    const spend = async () => {
      await commit()
      isSpent = true
      faultPoint('newsletter.start:before')
    }
    try {
      await campaigns.move(draft.id, 'running', { signal, commit: spend })
      faultPoint('newsletter.start:after')
      return receiptOf({ id: draft.id, status: 'running' }, act)
    } catch (error) {
      // a draft that will not be started is not left for somebody to start by hand
      if (!isSpent || toFault(error).code === 'connector.not_sent') await campaigns.remove(draft.id, asking()).catch(() => {})
      throw error
    }
  }

  return {
    name,
    kind: 'listmonk',
    account,
    zone: 'internet',
    from: account,
    accepts: (kind) => kind === 'newsletter.send',
    compose: (_kind, payload, frame) => dryRun(composeNewsletter(payload, frame, { url, from, lists: allowed, template: template ?? null, look: () => campaigns.lists(asking()) })),
    async deliver(wire, document, signal, commit) {
      const act = actOf(wire, ['newsletter.send'], account)
      if (act.url !== url) throw new Fault('refused', 'connector.not_sent', `the bytes are for ${act.url}, and this connector is for ${url}; nothing was sent`)
      checkBytes(wire, document)
      const started = await question(findStarted(act, { signal }))
      if (started) {
        // an earlier try whose answer was a failure, or somebody by hand
        if (!isSame(started, act)) throw new Fault('conflict', 'connector.not_sent', `the campaign ${started.id} is ${started.status} already, and is not what was signed: somebody changed it in listmonk. Look there`)
        await commit()
        return receiptOf(started, act)
      }
      await question(checkReaders(act, { signal }))
      const draft = await question(makeDraft(act, { signal }))
      return start(draft, act, { signal, commit })
    },
    async reconcile(wire) {
      const act = readOutboundAct(wire)
      if (act?.kind !== 'newsletter.send' || act.account !== account) return undefined
      const started = await findStarted(act, asking())
      return started && isSame(started, act) ? receiptOf(started, act) : undefined
    },
    async undo(wire, _document, receipt) {
      const act = actOf(wire, ['newsletter.send'], account)
      const ask = asking()
      const id = typeof receipt['campaign'] === 'number' ? receipt['campaign'] : (await campaigns.named(act.campaign, ask))[0]?.id
      if (id === undefined) throw new Fault('conflict', 'draft.not_undone', `there is no campaign of this draft at ${host}; nothing was cancelled`)
      const seen = await campaigns.get(id, ask)
      if (seen.name !== act.campaign) throw new Fault('conflict', 'draft.not_undone', `the campaign ${id} is called otherwise now; nothing was cancelled. Look into listmonk`)
      if (seen.status === 'draft') {
        await campaigns.remove(id, ask)
        return { campaign: id, status: 'deleted', sent: 0 }
      }
      // when it came to its end meanwhile, the refusal to cancel is no news
      if (seen.status === 'running' || seen.status === 'paused') await campaigns.move(id, 'cancelled', ask).catch((error: unknown) => { if (toFault(error).kind !== 'refused') throw error })
      const { status, sent, to_send: of } = await campaigns.get(id, ask)
      if (status !== 'cancelled') throw new Fault('conflict', 'draft.not_undone', `the campaign ${id} is ${status}, and ${counted(sent)} of ${of} have got it: nothing calls it back. Write a correction`)
      return { campaign: id, status, sent, to_send: of }
    },
    async discard(wire, signal) {
      const act = readOutboundAct(wire)
      if (act?.kind !== 'newsletter.send' || act.account !== account) return undefined
      const gone = await removeDrafts(act, { signal })
      return gone.length === 0 ? undefined : { host, campaign: gone.join(), status: 'deleted' }
    },
    async reach(signal) {
      const found = await campaigns.lists({ signal })
      return `listmonk at ${host}, ${found.length} list${found.length === 1 ? '' : 's'}`
    },
  }
}

import type { Bytes } from './bytes.ts'

interface Common {
  readonly version: string
  readonly upstream: string
  readonly url: string
  /** ISO; null: until it is taken back. */
  readonly expires_at: string | null
}
type Clearance = Common & (
  | { readonly act: 'lane.clear'; readonly lane: string; readonly level: 2; readonly shown: { readonly sources: readonly string[]; readonly jobs: readonly string[] } }
  | { readonly act: 'model.own'; readonly level: 3; readonly shown: { readonly lanes: readonly string[] } }
)

/** What is cleared by an act, as its bytes say it. */
export interface ReadClearance {
  readonly kind: Clearance['act']
  readonly title: string
  readonly text: string
}

const internal = 'P2 internal'
const localOnly = 'P3 local only'

/** Nothing when the bytes do not say a clearance, or say more: all that they say is shown. */
export function readClearance(bytes: Bytes): ReadClearance | undefined {
  const act = parse(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes))
  if (act === undefined) return undefined
  const title = act.act === 'lane.clear' ? `Let ${act.upstream} see ${internal} of lane ${act.lane}` : `Let ${act.upstream} see ${localOnly}, as a machine of your own`
  return { kind: act.act, title, text: inWords(act) }
}

function parse(text: string): Clearance | undefined {
  let act: Clearance
  try {
    act = JSON.parse(text) as Clearance
  } catch {
    return undefined
  }
  // written again from what is read here it is the same text: nothing in it was read over, and nothing is of another kind
  return act?.version === 'castellan-clearance/1' && isSound(act) && JSON.stringify(onlyKnown(act)) === text ? act : undefined
}

function isSound(act: Clearance): boolean {
  const texts = (list: unknown): boolean => Array.isArray(list) && list.every((one) => typeof one === 'string')
  const common = [act.upstream, act.url].every((one) => typeof one === 'string') && (act.expires_at === null || !Number.isNaN(Date.parse(act.expires_at)))
  if (!common) return false
  if (act.act === 'lane.clear') return act.level === 2 && typeof act.lane === 'string' && texts(act.shown?.sources) && texts(act.shown?.jobs)
  return act.act === 'model.own' && act.level === 3 && texts(act.shown?.lanes)
}

/** Its fields in the order of the canonical form (RFC 8785). */
function onlyKnown(act: Clearance): object {
  const { expires_at, upstream, url, version } = act
  return act.act === 'lane.clear'
    ? { act: act.act, expires_at, lane: act.lane, level: act.level, shown: { jobs: act.shown.jobs, sources: act.shown.sources }, upstream, url, version }
    : { act: act.act, expires_at, level: act.level, shown: { lanes: act.shown.lanes }, upstream, url, version }
}

/** The same words as the terminal shows. */
function inWords(act: Clearance): string {
  const until = `Until: ${act.expires_at ?? 'you take it back'}`
  const listed = (what: readonly string[]) => what.join(', ') || 'nothing by the house as it is now'
  if (act.act === 'model.own') {
    return [
      `You say that the machine of ${act.upstream} is your own, and that everything may be shown to it: ${localOnly} too.`, '',
      `Machine: ${act.upstream} at ${act.url}`, `Up to: ${localOnly}`, until, `Lanes that allow it: ${listed(act.shown.lanes)}`, '',
      'Nothing can verify who answers at that address. If it is changed in castellan.yaml, this no longer counts.', `To take it back: castellan model disown ${act.upstream}`, '',
    ].join('\n')
  }
  return [
    `A cloud model of ${act.upstream} may then be shown what is ${internal} in lane ${act.lane}, word for word and without redaction.`, '',
    `Provider: ${act.upstream} at ${act.url}`, `Lane: ${act.lane}`, `Up to: ${internal}; ${localOnly} stays on your machines`, until, '',
    'What could then reach it, as far as it is not P3 and belongs to no other lane:', `Comes into the lane: ${listed(act.shown.sources)}`, `Runs in the lane: ${listed(act.shown.jobs)}`, '',
    `No other provider is cleared by this, and not ${act.upstream} at another address.`, `To take it back: castellan lane unclear ${act.lane} --upstream ${act.upstream}`, '',
  ].join('\n')
}

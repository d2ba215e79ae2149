import { Fault } from '../../kernel/fault.ts'
import type { House } from '../../house/index.ts'
import { HOUSE_LANE } from '../../labels/index.ts'
import type { OutboxDeps } from '../change.ts'
import { proposeByOperator } from '../operator-proposal.ts'
import { composeClearance, type ClearanceKind, type ClearancePayload } from './clearance-act.ts'
import { clearanceConnector } from './clearance-connector.ts'

export interface WantedClearance {
  /** Left out: the machine of the upstream is the operator's own. */
  readonly lane?: string | undefined
  readonly upstream: string
  readonly expiresAt: Date | null
}

/**
 * Makes a draft of what the operator wants to clear, as the house is now. It clears nothing before it is signed.
 * @throws Fault `clearance.*` for what could not be cleared, or would clear nothing
 */
export async function proposeClearance(deps: OutboxDeps, house: House, wanted: WantedClearance): Promise<{ draft: string; risk: number }> {
  if (wanted.expiresAt !== null && wanted.expiresAt <= deps.clock.now()) throw new Fault('invalid', 'clearance.expires', 'it would be over before it began; name a time to come')
  const [kind, payload] = wanted.lane === undefined ? machineOf(house, wanted) : laneOf(house, wanted.lane, wanted)
  // what cannot be composed leaves no proposal behind
  await composeClearance(kind, payload)
  return proposeByOperator(deps, kind, clearanceConnector, payload)
}

function laneOf({ lanes, settings, jobs, labelRules }: House, name: string, { upstream, expiresAt }: WantedClearance): [ClearanceKind, ClearancePayload<'lane.clear'>] {
  const lane = lanes.find((one) => one.name === name)
  if (!lane) throw new Fault('missing', 'lane.missing', `there is no lane ${name}; there are ${lanes.map((one) => one.name).join(', ')}`)
  if (name === HOUSE_LANE) throw new Fault('refused', 'clearance.house', `what belongs to no lane in particular is in the lane ${HOUSE_LANE}, and is shown to no cloud model as P2; give the folder or account a lane of its own and clear that one`)
  if (lane.worker !== 'open' || lane.cloudClearance < 0) throw new Fault('refused', 'clearance.lane', `lane ${name} reaches no cloud model at all; write worker: open and cloud_clearance: P0 or P1 for it in castellan.yaml`)
  const { url, zone } = find(settings.models.upstreams, upstream)
  if (zone !== 'cloud') throw new Fault('invalid', 'clearance.zone', `${upstream} is in the zone ${zone}, which sees P2 without that`)
  if (!lane.providers.includes(upstream)) throw new Fault('invalid', 'clearance.provider', `lane ${name} does not allow ${upstream}; add it to lanes.${name}.providers in castellan.yaml first`)
  const within = ({ lanes: its }: { readonly lanes: readonly string[] }) => its.includes(name)
  const sources = [
    ...settings.mail.accounts.filter(({ label }) => within(label)).map((one) => `mailbox ${one.name}`),
    ...settings.folders.filter(({ label }) => within(label)).map((one) => `folder ${one.name}`),
    ...new Set(labelRules.flatMap((rule) => ('folder' in rule && within(rule.label) ? [`part of folder ${rule.folder.split('/')[0]}`] : []))),
  ]
  const shown = { sources, jobs: jobs.filter((job) => job.lane === name).map((job) => job.name) }
  return ['lane.clear', { lane: name, upstream, url, level: 2, expires_at: expiresAt?.toISOString() ?? null, shown }]
}

function machineOf({ lanes, settings }: House, { upstream, expiresAt }: WantedClearance): [ClearanceKind, ClearancePayload<'model.own'>] {
  const { url, own } = find(settings.models.upstreams, upstream)
  if (!own) throw new Fault('invalid', 'clearance.own', `${upstream} is not said to be another machine of your own; write zone: machine and own: true for it in castellan.yaml first`)
  return ['model.own', { upstream, url, level: 3, expires_at: expiresAt?.toISOString() ?? null, shown: { lanes: lanes.filter((lane) => lane.providers.includes(upstream)).map((lane) => lane.name) } }]
}

function find(upstreams: House['settings']['models']['upstreams'], name: string) {
  const found = upstreams.find((one) => one.name === name)
  if (!found) throw new Fault('missing', 'upstream.missing', `there is no upstream ${name}; there are ${upstreams.map((one) => one.name).join(', ') || 'none'}`)
  return found
}

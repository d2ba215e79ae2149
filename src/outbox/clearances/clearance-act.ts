import canonicalize from 'canonicalize'
import { z } from 'zod'
import { Fault } from '../../kernel/fault.ts'
import { describeLevel } from '../../labels/index.ts'
import type { Composed } from '../compose/composed.ts'

const version = 'castellan-clearance/1'
const name = z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/)
// what is shown is what is compared: no character that looks like another
const url = z.string().max(500).regex(/^https?:\/\/[\u0021-\u007e]+$/)
const names = z.array(z.string().regex(/^[a-z][a-z0-9 _-]{0,99}$/)).max(500)
const common = { upstream: name, url, expires_at: z.iso.datetime().nullable() }

const lane = z.strictObject({
  ...common, lane: name, level: z.literal(2),
  shown: z.strictObject({ sources: names, jobs: names }).describe('what comes into the lane and runs in it, by the house when it was proposed; for whoever signs'),
})
const machine = z.strictObject({ ...common, level: z.literal(3), shown: z.strictObject({ lanes: names }) })
const payloads = { 'lane.clear': lane, 'model.own': machine } as const
const actSchema = z.discriminatedUnion('act', [
  lane.extend({ version: z.literal(version), act: z.literal('lane.clear') }),
  machine.extend({ version: z.literal(version), act: z.literal('model.own') }),
])

/** What is cleared, for whom, up to which level and until when: the bytes that are signed, and that the database reads again when it grants. */
export type ClearanceAct = z.infer<typeof actSchema>
export type ClearanceKind = ClearanceAct['act']
export type ClearancePayload<K extends ClearanceKind> = z.infer<(typeof payloads)[K]>

export function isClearanceKind(kind: string): kind is ClearanceKind {
  return Object.hasOwn(payloads, kind)
}

/** One provider that may see P2 of one lane, or one machine that may see P3. @throws Fault `clearance.payload` */
export async function composeClearance(kind: ClearanceKind, payload: unknown): Promise<Composed> {
  const parsed = payloads[kind].safeParse(payload)
  if (!parsed.success) throw new Fault('invalid', 'clearance.payload', `the proposed clearance does not have the form of one: ${z.prettifyError(parsed.error)}`)
  const act = actSchema.parse({ ...parsed.data, version, act: kind })
  return {
    wire: Buffer.from(canonicalize(act)!), from: 'operator', recipients: { to: [], cc: [], bcc: [] }, title: titleOfClearance(act), text: textOfClearance(act), attachments: [],
    undo: `Afterwards: ${takeBack(act)}, which takes effect at once; what was sent until then stays sent.`,
  }
}

/** Are these bytes such an act? Only the canonical form ends like that. */
export function isClearance(wire: Uint8Array): boolean {
  return Buffer.from(wire).toString('utf8').endsWith(`"version":"${version}"}`)
}

/** Reads the bytes of such an act. What is not the canonical form of what it says is refused. @throws Fault `clearance.wire` */
export function readClearance(wire: Uint8Array): ClearanceAct {
  const text = Buffer.from(wire).toString('utf8')
  try {
    const act = actSchema.parse(JSON.parse(text))
    if (canonicalize(act) === text) return act
  } catch (error) {
    throw new Fault('refused', 'clearance.wire', 'these bytes are not a clearance that Castellan writes', {}, error)
  }
  throw new Fault('refused', 'clearance.wire', 'these bytes are not in canonical form (RFC 8785)')
}

export function titleOfClearance(act: ClearanceAct): string {
  return act.act === 'lane.clear' ? `Let ${act.upstream} see ${describeLevel(2)} of lane ${act.lane}` : `Let ${act.upstream} see ${describeLevel(3)}, as a machine of your own`
}

/** What the act means, in words that are made of its bytes alone. */
export function textOfClearance(act: ClearanceAct): string {
  const until = `Until: ${act.expires_at ?? 'you take it back'}`
  const listed = (what: readonly string[]) => what.join(', ') || 'nothing by the house as it is now'
  if (act.act === 'model.own') {
    return [
      `You say that the machine of ${act.upstream} is your own, and that everything may be shown to it: ${describeLevel(3)} too.`, '',
      `Machine: ${act.upstream} at ${act.url}`, `Up to: ${describeLevel(3)}`, until, `Lanes that allow it: ${listed(act.shown.lanes)}`, '',
      'Nothing can verify who answers at that address. If it is changed in castellan.yaml, this no longer counts.', `To take it back: ${takeBack(act)}`, '',
    ].join('\n')
  }
  return [
    `A cloud model of ${act.upstream} may then be shown what is ${describeLevel(2)} in lane ${act.lane}, word for word and without redaction.`, '',
    `Provider: ${act.upstream} at ${act.url}`, `Lane: ${act.lane}`, `Up to: ${describeLevel(2)}; ${describeLevel(3)} stays on your machines`, until, '',
    'What could then reach it, as far as it is not P3 and belongs to no other lane:', `Comes into the lane: ${listed(act.shown.sources)}`, `Runs in the lane: ${listed(act.shown.jobs)}`, '',
    `No other provider is cleared by this, and not ${act.upstream} at another address.`, `To take it back: ${takeBack(act)}`, '',
  ].join('\n')
}

function takeBack(act: ClearanceAct): string {
  return act.act === 'lane.clear' ? `castellan lane unclear ${act.lane} --upstream ${act.upstream}` : `castellan model disown ${act.upstream}`
}

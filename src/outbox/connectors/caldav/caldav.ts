import type { CaldavConnectorSettings } from '../../../house/index.ts'
import { Fault } from '../../../kernel/fault.ts'
import { faultPoint } from '../../../kernel/fault-point.ts'
import type { CalendarAct } from '../../acts/calendar-act.ts'
import { draftProperty, icalLines } from '../../acts/ical-lines.ts'
import { readOutboundAct } from '../../acts/outbound-act.ts'
import { readAddress } from '../../compose/address.ts'
import { composeCalendarChange, composeCalendarCreate, composeCalendarDelete, type CalendarToChange } from '../../compose/calendar.ts'
import { actOf } from '../../compose/outbound.ts'
import { sha256 } from '../../document.ts'
import { checkBytes } from '../check-bytes.ts'
import type { Connector, Receipt } from '../connector.ts'
import { dryRun } from '../http/question.ts'
import { createDav, type DavOptions } from './dav.ts'

export interface CaldavOptions extends Pick<CaldavConnectorSettings, 'name' | 'organizer'>, DavOptions {}

const composers = { 'calendar.create': composeCalendarCreate, 'calendar.change': composeCalendarChange, 'calendar.delete': composeCalendarDelete } as const
const kinds = ['calendar.create', 'calendar.change', 'calendar.delete'] as const
const lookMs = 30_000

/** Makes, changes and deletes events of one calendar, each as long as it is the version that was signed: a second time it is another, or gone. */
export function createCaldavConnector({ name, organizer, ...options }: CaldavOptions): Connector {
  const { calendar, user } = options
  const { host } = new URL(calendar)
  const dav = createDav(options)
  const account = `${user} at ${calendar}`
  const asking = () => ({ signal: AbortSignal.timeout(lookMs) })

  const place: CalendarToChange = {
    calendar,
    // read when somebody is invited: a name that is none must not keep the releaser from starting
    organizer: () => (organizer === undefined ? undefined : readAddress('organizer', organizer)),
    async look(resource) {
      const found = await dav.get(resource, asking())
      if (found) return found
      throw new Fault('missing', 'calendar.missing', `there is no event ${resource} in ${calendar}; a receipt names what was put there`)
    },
    tells: () => dav.tells(asking()),
  }

  /** The version that this act put there, while it is there. */
  async function findOurs({ resource, draft }: CalendarAct): Promise<string | undefined> {
    const found = await dav.get(resource, asking())
    return found && isOf(draft, found.text) ? found.etag : undefined
  }

  function receiptOf(act: CalendarAct, etag: string | undefined, reply: number): Receipt {
    return { host, reply: String(reply), resource: act.resource, ...(etag !== undefined && { etag }), sha256: sha256(act.event ?? '') }
  }

  async function put(act: CalendarAct & { readonly event: string }, options: { signal: AbortSignal; commit: () => Promise<void> }): Promise<Receipt> {
    const { status, etag } = await dav.put(act.resource, act.event, act.etag, options)
    faultPoint('calendar.put:after')
    if (status !== 412) return receiptOf(act, etag ?? (await findOurs(act).catch(() => undefined)), status)
    // an earlier try whose answer was a failure may have put it there
    const ours = await findOurs(act)
    if (ours === undefined) throw changed(act)
    return receiptOf(act, ours, status)
  }

  async function remove(act: CalendarAct, etag: string, options: { signal: AbortSignal; commit: () => Promise<void> }): Promise<Receipt> {
    const status = await dav.remove(act.resource, etag, options)
    faultPoint('calendar.put:after')
    if (status === 412 && (await dav.get(act.resource, asking()))) throw changed(act)
    return { ...receiptOf(act, undefined, status), was_there: status < 300 }
  }

  function changed({ resource }: CalendarAct): Fault {
    return new Fault('conflict', 'connector.not_sent', `${resource} is not what it was when this was frozen: somebody put, changed or deleted it since; nothing was done. Propose it again`, { brief: 'the event was changed since' })
  }

  return {
    name,
    kind: 'caldav',
    account,
    zone: 'internet',
    from: account,
    accepts: (kind) => Object.hasOwn(composers, kind),
    compose: (kind, payload, frame) => dryRun(composers[kind as keyof typeof composers](payload, frame, place)),
    async deliver(wire, document, signal, commit) {
      const act = actOf(wire, kinds, account)
      if (act.calendar !== calendar) throw new Fault('refused', 'connector.not_sent', `the bytes are for ${act.calendar}, and this connector is for ${calendar}; nothing was sent`)
      checkBytes(wire, document)
      const spend = async () => {
        await commit()
        faultPoint('calendar.put:before')
      }
      if (act.event !== null) return put({ ...act, event: act.event }, { signal, commit: spend })
      return remove(act, act.etag ?? '', { signal, commit: spend })
    },
    async reconcile(wire) {
      const act = readOutboundAct(wire)
      if (act === undefined || !('calendar' in act) || act.account !== account) return undefined
      if (act.event === null) return (await dav.get(act.resource, asking())) ? undefined : { ...receiptOf(act, undefined, 404), was_there: false }
      const etag = await findOurs(act)
      return etag === undefined ? undefined : receiptOf(act, etag, 200)
    },
    async undo(wire, _document, receipt) {
      const act = actOf(wire, kinds, account)
      const { before, resource } = act
      const ask = asking()
      const seen = await dav.get(resource, ask)
      // a second time it is done
      if (before === null ? seen === undefined : seen !== undefined && saysTheSame(seen.text, before)) return { host, resource, restored: before !== null }
      const version = typeof receipt['etag'] === 'string' ? receipt['etag'] : seen && isOf(act.draft, seen.text) ? seen.etag : undefined
      if (act.event === null ? seen !== undefined : version === undefined || seen?.etag !== version) throw notUndone(act)
      const status = before === null ? await dav.remove(resource, version!, ask) : (await dav.put(resource, before, act.event === null ? null : version!, ask)).status
      if (status === 412) throw notUndone(act)
      return { host, resource, restored: before !== null }
    },
    async reach(signal) {
      if (!(await dav.isCalendar({ signal }))) throw new Fault('refused', 'calendar.kind', `${calendar} is there, and is no calendar: write the address of the calendar itself`)
      return `the calendar ${calendar}`
    },
  }

  function notUndone({ resource }: CalendarAct): Fault {
    return new Fault('conflict', 'draft.not_undone', `${resource} is not what this draft left there: somebody changed it since, or it was never done; nothing was changed. Look into the calendar`)
  }
}

function isOf(draft: string, text: string): boolean {
  return icalLines(text).some(({ name, value }) => name === draftProperty && value === draft)
}

/** A server may write the same in another order, and fold it otherwise. */
function saysTheSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => icalLines(text).map(({ whole }) => whole).sort().join('\n'))
  return a === b
}

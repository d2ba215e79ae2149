import { IconExternalLink } from '@tabler/icons-react'
import type { DraftLine } from '../api/views.ts'
import { shortId } from '../words/wording.ts'
import { LabelChip } from './label-chip.tsx'
import { State } from './state.tsx'
import { Distance, Moment } from './time.tsx'

/** As much of a draft as the server knows; reading and signing it is done in the signing app, on its own origin. */
export function DraftRow({ draft }: { draft: DraftLine }) {
  const open = draft.state === 'waiting' || draft.state === 'unknown'
  return (
    <li className="row">
      <State state={draft.state} of="draft" bare />
      <div>
        <a className="title stretched" data-row href={draft.sign_url} target="_blank" rel="noreferrer">
          {draft.kind} by {draft.connector}
          <IconExternalLink size={13} aria-hidden style={{ marginInlineStart: 4, verticalAlign: -1, color: 'var(--ink-faint)' }} />
          <span className="hidden"> (opens the signing app)</span>
        </a>
        <Risk risk={draft.risk} />
        <div className="sub sub-line">
          <span className="mono faint">{shortId(draft.id)}</span>
          <span>{draft.job}, <Moment at={draft.frozen_at} /></span>
          <LabelChip label={draft.label} />
        </div>
      </div>
      <div className="end">
        {!open && <State state={draft.state} of="draft" />}
        {draft.state === 'unknown' && <span className="tone-yours state">sent or not? you decide</span>}
        {draft.state === 'waiting' && <span>expires <Distance at={draft.expires_at} /></span>}
        {draft.closed_at !== null && <Moment at={draft.closed_at} />}
      </div>
    </li>
  )
}

/** From 7 on a passkey is asked for each time. */
function Risk({ risk }: { risk: number }) {
  const tone = risk >= 7 ? 'bad' : risk >= 5 ? 'warn' : 'quiet'
  return <span className={`chip risk tone-${tone}`}>risk {risk}/10</span>
}

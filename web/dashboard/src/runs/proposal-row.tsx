import { IconExternalLink } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { draftQuery } from '../api/queries.ts'
import type { Proposal } from '../api/views.ts'
import { State } from '../parts/state.tsx'
import { toneOf } from '../parts/tone.ts'

/** What a step asked the releaser for, with the state of the draft that came of it. */
export function ProposalRow({ proposal }: { proposal: Proposal }) {
  return (
    <li className="proposal">
      <span>{proposal.kind} by {proposal.connector}</span>
      <State state={proposal.state} of="draft" />
      {proposal.refusal !== null && <span className="soft">{proposal.refusal}</span>}
      {proposal.draft !== null && <DraftLink id={proposal.draft} open={toneOf(proposal.state, 'draft') === 'yours'} />}
    </li>
  )
}

function DraftLink({ id, open }: { id: string; open: boolean }) {
  const { data } = useQuery(draftQuery(id))
  if (data === undefined) return null
  return (
    <a className="link touch" href={data.sign_url} target="_blank" rel="noreferrer">
      {open ? 'Read and sign' : 'Look at it'}
      <IconExternalLink size={13} aria-hidden style={{ marginInlineStart: 4, verticalAlign: -1 }} />
      <span className="hidden"> (opens the signing app)</span>
    </a>
  )
}

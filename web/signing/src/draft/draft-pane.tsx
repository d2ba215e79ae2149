import { IconArrowLeft, IconMailOpened } from '@tabler/icons-react'
import { useEffect, useRef } from 'react'
import { Alert } from '../look/alert.tsx'
import { Button } from '../look/button.tsx'
import { Exact } from '../look/exact.tsx'
import type { DraftSummary } from '../releaser/answers.ts'
import type { TriageVerbs } from '../triage/triage.ts'
import type { Triage } from '../triage/triage-state.ts'
import { DraftActs } from './draft-acts.tsx'
import { DraftFacts, DraftGist } from './draft-facts.tsx'
import { DraftHead } from './draft-head.tsx'
import { DraftHistory, DraftProof } from './draft-proof.tsx'
import { DraftStanding } from './draft-standing.tsx'
import { DraftText } from './draft-text.tsx'
import { EditForm } from './edit-form.tsx'
import { WhatChanged } from './what-changed.tsx'

export interface DraftPaneProps {
  readonly id: string | undefined
  /** As the list has it; undefined when it is in no list of this page. */
  readonly draft: DraftSummary | undefined
  readonly state: Triage
  readonly triage: TriageVerbs
  readonly isShown: boolean
  readonly isWide: boolean
  readonly takesFocus: boolean
}

/** A draft as its recipient gets it, and all that its signature covers. What stands here comes from the checked document and bytes. */
export function DraftPane({ id, draft: listed, state, triage, isShown, isWide, takesFocus }: DraftPaneProps) {
  const title = useRef<HTMLHeadingElement>(null)
  const opened = id === undefined ? undefined : state.opened[id]
  const isReady = opened?.at === 'ready'
  useEffect(() => {
    if (isReady && (takesFocus || (!isWide && isShown))) title.current?.focus()
  }, [isReady, takesFocus, isWide, isShown])

  // on a narrow screen the draft is the whole page
  const Title = isWide ? 'h2' : 'h1'
  if (!isShown) return <section className="draft-pane" aria-label="Draft" hidden />
  const back = !isWide && <Button kind="quiet" className="back" icon={<IconArrowLeft size={18} aria-hidden="true" />} onClick={() => triage.dispatch({ type: 'reading', reading: false })}>List</Button>
  if (id === undefined) {
    return <section className="draft-pane blank" aria-label="Draft">{back}<div className="nothing"><IconMailOpened size={30} aria-hidden="true" /><p>{state.loaded ? 'No draft is open.' : 'The drafts are being fetched.'}</p></div></section>
  }
  if (opened === undefined || opened.at === 'loading') {
    return (
      <section className="draft-pane" aria-label="Draft" aria-busy="true">
        {back}
        <div className="draft-body">
          <Title className="draft-title"><Exact text={listed?.title ?? 'Draft'} /></Title>
          <p className="hidden-text" role="status">Fetching the bytes and checking them.</p>
          <div className="ghost" /><div className="ghost short" /><div className="ghost tall" />
        </div>
      </section>
    )
  }
  if (opened.at === 'failed') {
    return (
      <section className="draft-pane" aria-label="Draft">
        {back}
        <div className="draft-body">
          <Title className="draft-title">This draft could not be opened</Title>
          <Alert tone="bad" live>
            <span>{opened.problem.message}</span>
            <div className="alert-acts"><Button onClick={() => void triage.open(id)}>Try again</Button></div>
          </Alert>
        </div>
      </section>
    )
  }
  const { check, before } = opened
  // state and times move on; the list hears of it first
  const draft = { ...(check.ok ? check.draft.detail : check.detail), ...listed }
  if (!check.ok) {
    return (
      <section className="draft-pane" aria-label="Draft">
        {back}
        <div className="draft-body">
          <Title className="draft-title" tabIndex={-1} ref={title}><Exact text={draft.title ?? 'A draft without a readable document'} /></Title>
          <Alert tone="bad" live><strong>It cannot be signed</strong><span>{check.problem}. It was altered after it was frozen, or its time was over; it can only be rejected.</span></Alert>
          <DraftStanding draft={draft} act={state.acts[id]} triage={triage} />
          <DraftHistory detail={check.detail} isOpen />
        </div>
        <DraftActs draft={draft} state={state} triage={triage} isSignable={false} isWide={isWide} takesPasskey={false} />
      </section>
    )
  }
  const checked = check.draft
  if (state.editing && draft.state === 'waiting') {
    return <section className="draft-pane editing" aria-label="Edit the draft">{back}<EditForm key={checked.hash} checked={checked} state={state} triage={triage} isWide={isWide} /></section>
  }
  const { document, detail, wire } = checked
  return (
    <section className="draft-pane" aria-label="Draft">
      {back}
      <div className="draft-body">
        <DraftStanding draft={draft} act={state.acts[id]} triage={triage} />
        {before && <WhatChanged before={before} after={checked} onSeen={() => triage.dispatch({ type: 'seen', id })} />}
        <Title className="draft-title" tabIndex={-1} ref={title}>{document.title === '' ? '(no subject)' : <Exact text={document.title} />}</Title>
        <DraftGist checked={checked} draft={draft} now={triage.now} />
        <DraftHead checked={checked} />
        {draft.state !== 'waiting' && <DraftHistory detail={detail} isOpen={draft.state !== 'held'} />}
        <DraftText text={wire.text} title={document.title} recipients={document.recipients} first={detail.first} attachments={document.attachments} detail={detail} />
        <DraftFacts checked={checked} draft={draft} now={triage.now} />
        <DraftProof checked={checked} />
        {draft.state === 'waiting' && <DraftHistory detail={detail} isOpen={false} />}
      </div>
      <DraftActs draft={draft} state={state} triage={triage} isSignable={before === undefined} isWide={isWide} takesPasskey={document.risk >= 7 || document.label.level >= 3} />
    </section>
  )
}

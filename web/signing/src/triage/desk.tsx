import { useCallback, useEffect, useMemo, useState } from 'react'
import { DraftPane } from '../draft/draft-pane.tsx'
import { LaterDialog } from '../draft/later-dialog.tsx'
import { RejectDialog } from '../draft/reject-dialog.tsx'
import { SnoozeDialog } from '../draft/snooze-dialog.tsx'
import { useStore } from '../look/store.ts'
import type { House } from '../releaser/answers.ts'
import type { Session } from '../session/session.ts'
import { Bar } from './bar.tsx'
import { BatchDialog } from './batch-dialog.tsx'
import { DraftList } from './draft-list.tsx'
import { FenceBanner } from './fence-banner.tsx'
import { HelpDialog } from './help-dialog.tsx'
import { HoldStrip } from './hold-strip.tsx'
import { createTriage } from './triage.ts'
import { findDraft, rowsOf } from './triage-state.ts'
import { useAddress } from './use-address.ts'
import { useKeys } from './use-keys.ts'
import { useLetters } from './use-letters.ts'
import { useWide } from './use-wide.ts'
import { watchChanges } from './watch-changes.ts'

interface DeskProps {
  readonly house: House
  readonly skew: number
  readonly expiresAt: string
  readonly session: Session
}

/** The list of what waits on the left, the draft on the right; on a narrow screen one of the two. */
export function Desk({ house, skew, expiresAt, session }: DeskProps) {
  const triage = useMemo(() => createTriage(session, skew), [session, skew])
  const state = useStore(triage.store)
  const isWide = useWide()
  const [letters, setLetters] = useLetters()
  const [openPart, setOpenPart] = useState<'rows' | 'draft'>('rows')
  const rows = useMemo(() => rowsOf(state), [state])
  const draft = findDraft(state, state.cursor)
  const { cursor, reading } = state

  useEffect(() => {
    const stop = new AbortController()
    void watchChanges(triage, session.client, stop.signal)
    const ticker = setInterval(() => triage.dispatch({ type: 'tick', now: triage.now() }), 1_000)
    return () => {
      stop.abort()
      clearInterval(ticker)
    }
  }, [triage, session])

  const isShown = isWide || reading
  const standing = draft?.state
  useEffect(() => {
    if (cursor === undefined || !isShown) return
    // a key held down runs past drafts that nobody looks at
    const timer = setTimeout(() => void triage.open(cursor).then(triage.openAhead), 40)
    return () => clearTimeout(timer)
  }, [triage, cursor, isShown, standing])

  useAddress(triage, state)
  useKeys({ triage, letters, isWide, onPart: setOpenPart })
  const close = useCallback(() => triage.dispatch({ type: 'overlay', overlay: undefined }), [triage])

  return (
    <div className="desk" data-reading={reading || undefined}>
      <Bar house={house} state={state} expiresAt={expiresAt} triage={triage} onLock={session.lock} />
      <FenceBanner state={state} triage={triage} />
      <main className="panes">
        <DraftList rows={rows} state={state} triage={triage} takesFocus={openPart === 'rows'} isWide={isWide} />
        <DraftPane key={cursor ?? 'none'} id={cursor} draft={draft} state={state} triage={triage} isShown={isShown} isWide={isWide} takesFocus={reading && openPart === 'draft'} />
      </main>
      <HoldStrip state={state} triage={triage} />
      {state.overlay === 'help' && <HelpDialog letters={letters} onLetters={setLetters} onClose={close} />}
      {state.overlay === 'batch' && <BatchDialog state={state} triage={triage} onClose={close} />}
      {state.overlay === 'reject' && draft && <RejectDialog draft={draft} triage={triage} onClose={close} />}
      {state.overlay === 'later' && draft && <LaterDialog draft={draft} triage={triage} onClose={close} />}
      {state.overlay === 'snooze' && draft && <SnoozeDialog draft={draft} triage={triage} onClose={close} />}
    </div>
  )
}

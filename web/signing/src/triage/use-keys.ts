import { useEffect } from 'react'
import { commandOf, type Command } from './keymap.ts'
import type { TriageVerbs } from './triage.ts'
import { findDraft } from './triage-state.ts'

interface Keys {
  readonly triage: TriageVerbs
  readonly letters: boolean
  readonly isWide: boolean
  /** Which of the two panes the reader is in. */
  readonly onPart: (part: 'rows' | 'draft') => void
}

/** One listener for the page; a dialog that is open has the keys to itself. */
export function useKeys({ triage, letters, isWide, onPart }: Keys): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.defaultPrevented || document.querySelector('dialog[open]') !== null) return
      const command = commandOf(event, { letters, focus: focusOf(event.target) })
      if (command === undefined) return
      event.preventDefault()
      perform(command, triage, isWide, onPart)
    }
    window.addEventListener('keydown', pressed)
    return () => window.removeEventListener('keydown', pressed)
  }, [triage, letters, isWide, onPart])
}

/** What a command does; buttons call the same. */
export function perform(command: Command, triage: TriageVerbs, isWide: boolean, onPart: (part: 'rows' | 'draft') => void): void {
  const { dispatch, say, store } = triage
  const { cursor, reading, editing, selected } = store.get()
  const draft = findDraft(store.get(), cursor)
  const waits = draft?.state === 'waiting'
  const move = (by: number) => {
    dispatch({ type: 'moved', by })
    onPart(reading ? 'draft' : 'rows')
  }
  const onWaiting = (act: () => void) => {
    if (draft === undefined) say('There is no draft here.')
    else if (!waits) say(`It is ${draft.state}: there is nothing to decide.`)
    else if (!store.get().online) say('Offline: nothing was done, and nothing is kept for later.', 'bad')
    else act()
  }
  switch (command) {
    case 'next': return move(1)
    case 'previous': return move(-1)
    case 'first': return move(Number.NEGATIVE_INFINITY)
    case 'last': return move(Number.POSITIVE_INFINITY)
    case 'open':
      if (cursor === undefined) return
      onPart('draft')
      return dispatch({ type: 'reading', reading: true })
    case 'back':
      if (editing) return dispatch({ type: 'editing', editing: false })
      onPart('rows')
      if (!reading && selected.length > 0) return dispatch({ type: 'unselected' })
      return dispatch({ type: 'reading', reading: false })
    case 'approve': return onWaiting(() => void triage.approve(cursor!, isWide || reading))
    case 'approve-by-passkey': return onWaiting(() => void triage.approve(cursor!, isWide || reading, true))
    case 'approve-selected':
      if (selected.length === 0) return say('Nothing is selected. x selects the draft under the cursor.')
      return dispatch({ type: 'overlay', overlay: 'batch' })
    case 'edit': return onWaiting(() => draft?.kind === 'mail' ? dispatch({ type: 'editing', editing: true }) : say('Only mail can be edited. Reject it, and have it proposed anew.'))
    case 'reject': return onWaiting(() => dispatch({ type: 'overlay', overlay: 'reject' }))
    case 'later': return onWaiting(() => isWide || reading ? dispatch({ type: 'overlay', overlay: 'later' }) : dispatch({ type: 'pointed', id: cursor, reading: true }))
    case 'snooze': return onWaiting(() => dispatch({ type: 'overlay', overlay: 'snooze' }))
    case 'select': return onWaiting(() => dispatch({ type: 'selected', id: cursor! }))
    case 'undo': return void triage.undo()
    case 'help': return dispatch({ type: 'overlay', overlay: 'help' })
  }
}

function focusOf(target: EventTarget | null): 'field' | 'control' | 'page' {
  if (!(target instanceof HTMLElement)) return 'page'
  if (target.matches('textarea, select, [contenteditable], input:not([type=checkbox], [type=radio], [type=button])')) return 'field'
  // a row is a link, and Enter on it opens it either way
  return target.matches('button, summary, input, a:not(.row-link)') ? 'control' : 'page'
}

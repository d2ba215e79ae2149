import { IconBuildingCastle, IconKeyboard, IconLock, IconPlugConnected, IconPlugConnectedX } from '@tabler/icons-react'
import { Button } from '../look/button.tsx'
import { moment } from '../look/clock.ts'
import type { House } from '../releaser/answers.ts'
import type { TriageVerbs } from './triage.ts'
import { isSnoozed, type Triage, type View } from './triage-state.ts'

interface BarProps {
  readonly house: House
  readonly state: Triage
  readonly expiresAt: string
  readonly triage: TriageVerbs
  readonly onLock: () => void
}

export function Bar({ house, state, expiresAt, triage, onLock }: BarProps) {
  const waiting = state.open.filter((draft) => !isSnoozed(draft, state.now) && (draft.state === 'waiting' || draft.state === 'unknown')).length
  const snoozed = state.open.filter((draft) => isSnoozed(draft, state.now)).length
  const views: [View, string, number | undefined][] = [['waiting', 'Waiting', waiting], ['snoozed', 'Snoozed', snoozed], ['history', 'History', undefined]]
  const show = (view: View) => {
    triage.dispatch({ type: 'viewed', view })
    if (view === 'history') void triage.refresh()
  }
  return (
    <header className="bar">
      <h1 className="bar-brand"><IconBuildingCastle size={19} aria-hidden="true" /><span>Castellan</span><span className="bar-house">{house.house}</span></h1>
      <nav className="bar-views" aria-label="Lists of drafts">
        {views.map(([view, name, count]) => (
          <button key={view} type="button" className="bar-view" aria-current={state.view === view ? 'page' : undefined} onClick={() => show(view)}>
            {name}{count !== undefined && <span className="bar-count">{count}</span>}
          </button>
        ))}
      </nav>
      <div className="bar-end">
        <span className={`bar-link ${state.online ? '' : 'off'}`} role="status">
          {state.online ? <IconPlugConnected size={17} aria-hidden="true" /> : <IconPlugConnectedX size={17} aria-hidden="true" />}
          <span className="bar-link-text">{state.online ? 'Connected' : 'Offline'}</span>
        </span>
        <Button kind="quiet" aria-label="Keys and settings" title="Keys and settings (?)" icon={<IconKeyboard size={19} aria-hidden="true" />} onClick={() => triage.dispatch({ type: 'overlay', overlay: 'help' })} />
        <Button kind="quiet" title={`The session ends by itself at ${moment(expiresAt)}`} icon={<IconLock size={18} aria-hidden="true" />} onClick={onLock}>Lock</Button>
      </div>
    </header>
  )
}

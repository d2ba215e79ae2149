import '../parts/dialog-styles.ts'
import { Modal } from '@mantine/core'
import { IconCalendarClock, IconHistory, IconKeyboard, IconLogout, IconSearch } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { useEffect, useId, useRef, useState, type KeyboardEvent } from 'react'
import { jobsQuery, runsQuery } from '../api/queries.ts'
import { pageIcons } from '../app/navigation.tsx'
import { pages } from '../app/pages.ts'
import { nextRow } from '../keys/shortcut.ts'
import { shortId } from '../words/wording.ts'
import { wordOf } from '../parts/tone.ts'
import { matching, type Entry } from './match.ts'
import './palette.css'

interface Choice extends Entry {
  readonly Icon: typeof IconSearch
  choose(): void
}

interface PaletteProps {
  readonly close: () => void
  readonly help: () => void
  readonly signOut: () => void
}

const shown = 12

/** Goes to a page, a job or a run by a few letters of its name. */
export function Palette({ close, help, signOut }: PaletteProps) {
  const choices = useChoices({ help, signOut })
  const [typed, setTyped] = useState('')
  const [at, setAt] = useState(0)
  const list = useRef<HTMLUListElement>(null)
  const id = useId()
  const found = matching(choices, typed).slice(0, shown)
  const current = Math.min(at, found.length - 1)

  useEffect(() => {
    list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' })
  }, [current])

  function pick(choice: Choice | undefined): void {
    if (choice === undefined) return
    close()
    choice.choose()
  }

  function onKey(event: KeyboardEvent): void {
    if (event.key === 'Enter') pick(found[current])
    else if (event.key === 'ArrowDown') setAt(nextRow(current, found.length, 1))
    else if (event.key === 'ArrowUp') setAt(nextRow(current, found.length, -1))
    else return
    event.preventDefault()
  }

  return (
    <Modal opened onClose={close} withCloseButton={false} size="lg" yOffset="12dvh" classNames={{ body: 'palette-body' }} attributes={{ content: { 'aria-label': 'Go to a page, a job or a run' } }} transitionProps={{ duration: 80 }}>
      <div className="palette-input">
        <IconSearch size={18} aria-hidden />
        <input
          data-autofocus
          role="combobox"
          aria-expanded="true"
          aria-controls={id}
          aria-autocomplete="list"
          aria-label="Go to a page, a job or a run"
          {...(found[current] && { 'aria-activedescendant': `${id}-${current}` })}
          placeholder="Page, job or run"
          autoComplete="off"
          spellCheck={false}
          value={typed}
          onKeyDown={onKey}
          onChange={(event) => {
            setTyped(event.currentTarget.value)
            setAt(0)
          }}
        />
        <kbd className="keycap">Esc</kbd>
      </div>
      <ul className="palette-list" role="listbox" id={id} aria-label="Where to" ref={list}>
        {found.map((choice, index) => (
          <li key={choice.id} id={`${id}-${index}`} role="option" aria-selected={index === current} onMouseMove={() => setAt(index)} onClick={() => pick(choice)}>
            <choice.Icon size={17} stroke={1.75} aria-hidden />
            <span className="palette-name">{choice.name}</span>
            <span className="palette-about">{choice.about}</span>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className="palette-none" role="status">Nothing here is called “{typed}”.</p>}
    </Modal>
  )
}

function useChoices({ help, signOut }: Pick<PaletteProps, 'help' | 'signOut'>): Choice[] {
  const router = useRouter()
  const jobs = useQuery(jobsQuery).data ?? []
  const runs = useQuery(runsQuery({})).data ?? []
  return [
    ...pages.map(({ path, name, about }): Choice => ({ id: path, name, about, Icon: pageIcons[path], choose: () => void router.navigate({ to: path }) })),
    ...jobs.map(({ name, summary }): Choice => ({
      id: `job ${name}`, name, about: summary, Icon: IconCalendarClock, choose: () => void router.navigate({ to: '/jobs/$name', params: { name } }),
    })),
    ...runs.map(({ id, job, state }): Choice => ({
      id, name: `${job} ${shortId(id)}`, about: `run, ${wordOf(state)}`, Icon: IconHistory, choose: () => void router.navigate({ to: '/runs/$id', params: { id } }),
    })),
    { id: 'keys', name: 'Keyboard', about: 'The keys, and the switch for those of one letter', Icon: IconKeyboard, choose: help },
    { id: 'sign-out', name: 'Sign out', about: 'of this browser', Icon: IconLogout, choose: signOut },
  ]
}

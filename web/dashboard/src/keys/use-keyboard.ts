import { useRouter, type AnyRouter } from '@tanstack/react-router'
import { useCallback, useEffect, useRef, useState } from 'react'
import { nextRow, shortcutOf, type Shortcut } from './shortcut.ts'

const setting = 'castellan.single-keys'
const patienceMs = 1_500

/** Listens to the keys of the whole page. A dialog keeps its own: while one is open, only its keys count. */
export function useKeyboard() {
  const router = useRouter()
  const [open, setOpen] = useState<'palette' | 'help'>()
  const [singleKeys, choose] = useState(() => localStorage.getItem(setting) !== 'off')
  const awaitingUntil = useRef(0)

  useEffect(() => {
    function onKey(event: KeyboardEvent): void {
      if (event.isComposing) return
      const shortcut = shortcutOf(pressOf(event), { awaiting: event.timeStamp < awaitingUntil.current, singleKeys })
      awaitingUntil.current = 0
      if (shortcut === undefined || (inDialog() && shortcut.does !== 'palette')) return
      event.preventDefault()
      if (shortcut.does === 'await') awaitingUntil.current = event.timeStamp + patienceMs
      else if (shortcut.does === 'palette' || shortcut.does === 'help') setOpen(shortcut.does)
      else follow(router, shortcut)
    }
    // before anybody else: a dialog that closes at Escape must still be seen as open
    window.addEventListener('keydown', onKey, { capture: true })
    return () => window.removeEventListener('keydown', onKey, { capture: true })
  }, [router, singleKeys])

  const setSingleKeys = useCallback((wanted: boolean) => {
    localStorage.setItem(setting, wanted ? 'on' : 'off')
    choose(wanted)
  }, [])
  const close = useCallback(() => setOpen(undefined), [])
  return { open, show: setOpen, close, singleKeys, setSingleKeys }
}

function follow(router: AnyRouter, shortcut: Shortcut): void {
  if (shortcut.does === 'go') void router.navigate({ to: shortcut.path })
  if (shortcut.does === 'next' || shortcut.does === 'previous') moveFocus(shortcut.does === 'next' ? 1 : -1)
  if (shortcut.does === 'back') goBack(router)
}

/** Rows are links and buttons: the focus is the cursor, so Enter opens without another line. */
function moveFocus(step: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('main [data-row]')]
  const next = rows[nextRow(rows.findIndex((row) => row === document.activeElement), rows.length, step)]
  next?.focus()
  next?.scrollIntoView({ block: 'nearest' })
}

/** To where one came from; from a first page of this visit, up. */
function goBack(router: AnyRouter): void {
  if (router.history.canGoBack()) router.history.back()
  else void router.navigate({ to: router.state.location.pathname.replace(/\/[^/]*$/, '') || '/' })
}

function pressOf(event: KeyboardEvent) {
  const at = event.target instanceof HTMLElement ? event.target : undefined
  const typing = at !== undefined && (at.isContentEditable || at.matches('input:not([type=checkbox]):not([type=radio]), textarea, select'))
  return { key: event.key, ctrlKey: event.ctrlKey, metaKey: event.metaKey, altKey: event.altKey, typing }
}

function inDialog(): boolean {
  return document.querySelector('[role=dialog], [role=alertdialog]') !== null
}

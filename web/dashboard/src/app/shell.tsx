import { IconKeyboard, IconLogout, IconPlugConnectedX, IconSearch } from '@tabler/icons-react'
import { Outlet, useRouterState } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useRef } from 'react'
import { useLiveHints } from '../api/live.ts'
import { useKeyboard } from '../keys/use-keyboard.ts'
import { useSignOut } from '../sign-in/session.ts'
import { Navigation } from './navigation.tsx'
import './shell.css'
import '../parts/parts.css'

const Palette = lazy(() => import('../palette/palette.tsx').then(({ Palette }) => ({ default: Palette })))
const KeyboardHelp = lazy(() => import('../keys/keyboard-help.tsx').then(({ KeyboardHelp }) => ({ default: KeyboardHelp })))

/** What stands around every page: the ways to the others, the palette, the keys, and whether the house still answers. */
export function Shell() {
  const { open, show, close, singleKeys, setSingleKeys } = useKeyboard()
  const connected = useLiveHints()
  const signOut = useSignOut()
  const main = useFocusAfterMove()
  return (
    <div className="shell">
      <a className="skip" href="#main">To the content</a>
      <header className="side">
        <div className="brand"><img src="/icon.svg" alt="" />Castellan</div>
        <button type="button" className="search" onClick={() => show('palette')}>
          <IconSearch size={15} aria-hidden />
          Go to …
          <kbd className="keycap">{/mac/i.test(navigator.platform) ? '⌘K' : 'Ctrl K'}</kbd>
        </button>
        <Navigation className="nav" iconSize={17} />
        <div className="side-end">
          <button type="button" onClick={() => show('help')}><IconKeyboard size={16} stroke={1.75} aria-hidden />Keyboard<kbd className="keycap">?</kbd></button>
          <button type="button" onClick={signOut}><IconLogout size={16} stroke={1.75} aria-hidden />Sign out</button>
        </div>
      </header>
      <header className="top">
        <div className="brand"><img src="/icon.svg" alt="" />Castellan</div>
        <button type="button" className="icon-button" onClick={() => show('palette')} aria-label="Go to …"><IconSearch size={20} stroke={1.75} aria-hidden /></button>
      </header>
      <main className="main" id="main" tabIndex={-1} ref={main}>
        <Outlet />
      </main>
      <Navigation className="bottom" iconSize={21} />
      {!connected && <div className="offline" role="status"><IconPlugConnectedX size={16} aria-hidden />The house does not answer. Trying again …</div>}
      <Suspense>
        {open === 'palette' && <Palette close={close} help={() => show('help')} signOut={signOut} />}
        {open === 'help' && <KeyboardHelp close={close} singleKeys={singleKeys} setSingleKeys={setSingleKeys} />}
      </Suspense>
    </div>
  )
}

/** After a move to another page the keyboard goes on in its content, not in the navigation. */
function useFocusAfterMove() {
  const main = useRef<HTMLElement>(null)
  const path = useRouterState({ select: ({ location }) => location.pathname })
  const seen = useRef(path)
  useEffect(() => {
    if (seen.current === path) return
    seen.current = path
    main.current?.focus({ preventScroll: true })
  }, [path])
  return main
}

import { useEffect, useRef } from 'react'
import type { TriageVerbs } from './triage.ts'
import type { Triage, View } from './triage-state.ts'

const views: readonly View[] = ['waiting', 'snoozed', 'history']

/** `#draft=ID` is a draft, `#history` a list: other pages can point at one, and Back goes back. */
export function useAddress(triage: TriageVerbs, { view, reading, cursor }: Triage): void {
  const isFirst = useRef(true)

  useEffect(() => {
    const follow = () => {
      const id = /^#draft=([0-9a-f-]{36})$/.exec(location.hash)?.[1]
      if (id !== undefined) return triage.dispatch({ type: 'pointed', id, reading: true })
      const named = views.find((name) => location.hash === `#${name}`)
      if (named !== undefined && named !== triage.store.get().view) triage.dispatch({ type: 'viewed', view: named })
      triage.dispatch({ type: 'reading', reading: false })
    }
    follow()
    window.addEventListener('popstate', follow)
    return () => window.removeEventListener('popstate', follow)
  }, [triage])

  useEffect(() => {
    if (isFirst.current) {
      isFirst.current = false
      return
    }
    const wanted = reading && cursor !== undefined ? `#draft=${cursor}` : `#${view}`
    if (location.hash === wanted) return
    // from the list to a draft is a step that Back undoes; from draft to draft is not
    const isStep = reading && !location.hash.startsWith('#draft=')
    history[isStep ? 'pushState' : 'replaceState'](null, '', wanted)
  }, [view, reading, cursor])
}

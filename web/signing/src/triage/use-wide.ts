import { useSyncExternalStore } from 'react'

const wide = '(min-width: 900px)'

/** List and draft stand side by side. The style sheet has the same border. */
export function useWide(): boolean {
  return useSyncExternalStore(
    (changed) => {
      const query = matchMedia(wide)
      query.addEventListener('change', changed)
      return () => query.removeEventListener('change', changed)
    },
    () => matchMedia(wide).matches,
  )
}

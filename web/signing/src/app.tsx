import { useCallback } from 'react'
import { useStore } from './look/store.ts'
import { Asking, Elsewhere, Enrol, SignIn, Unenrolled, Unreachable } from './session/front-pages.tsx'
import type { Session } from './session/session.ts'
import { Desk } from './triage/desk.tsx'

/** One page for each way that this browser can stand with the house. */
export function App({ session }: { readonly session: Session }) {
  const standing = useStore(session.standing)
  const begin = useCallback(() => void session.begin(), [session])
  switch (standing.at) {
    case 'asking': return <Asking />
    case 'unreachable': return <Unreachable problem={standing.problem} onRetry={begin} />
    case 'elsewhere': return <Elsewhere house={standing.house} />
    case 'unenrolled': return <Unenrolled house={standing.house} onCode={(code) => void session.begin(code)} />
    case 'enrolling': return <Enrol standing={standing} session={session} />
    case 'out': return <SignIn standing={standing} session={session} />
    case 'in': return <Desk house={standing.house} skew={standing.skew} expiresAt={standing.key.expiresAt} session={session} />
  }
}
